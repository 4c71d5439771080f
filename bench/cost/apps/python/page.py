"""A page of a wiki, from its Markdown to HTML for each request: an application of real size."""
import os

import markdown

HERE = os.path.dirname(os.path.abspath(__file__))

# As much of it as a page of real size has.
with open(os.path.join(HERE, "page.md"), encoding="utf-8") as file:
    TEXT = file.read() * 4

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>UnixSockets - a wiki</title></head>
<body>
{contents}
{text}
</body>
</html>"""


def render():
    # One for each: it keeps what it has seen, and threads have pages of their own.
    page = markdown.Markdown(extensions=["tables", "toc", "wikilinks"])
    return PAGE.format(text=page.convert(TEXT), contents=page.toc)
