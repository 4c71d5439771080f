"""A page of a wiki, from its marked-up text to HTML for each request, by Jinja2: an application of real size."""
import os
import re

import jinja2
from markupsafe import Markup, escape

HERE = os.path.dirname(os.path.abspath(__file__))
# A server in production looks for no newer templates.
TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True, auto_reload=False)

# As much of it as a page of real size has.
with open(os.path.join(HERE, "page.txt"), encoding="utf-8") as file:
    TEXT = file.read() * 3

PAGES = ["FrontPage", "ListenQueue", "UnixSockets", "AppServers", "HelpContents"]
WORD = re.compile(r"\b(?:[A-Z][a-z]+){2,}\b|'''(.+?)'''|`(.+?)`|https?://[^\s<>\"]+")


def inline(text):
    """Links, bold, code: each word of a paragraph passes here."""

    def mark(match):
        word = match.group(0)
        if match.group(1):
            return Markup("<strong>{}</strong>").format(match.group(1))
        if match.group(2):
            return Markup("<code>{}</code>").format(match.group(2))
        if word.startswith("http"):
            return Markup('<a class="external" href="{0}">{0}</a>').format(word)
        known = "page" if word in PAGES else "page missing"
        return Markup('<a class="{}" href="/wiki/{}">{}</a>').format(known, word, word)

    parts, last = [], 0
    for match in WORD.finditer(text):
        parts += [escape(text[last : match.start()]), mark(match)]
        last = match.end()
    return Markup("").join(parts + [escape(text[last:])])


def blocks(text):
    """Headings, lists, tables and paragraphs."""
    for number, block in enumerate(re.split(r"\n\s*\n", text.strip())):
        heading = re.match(r"(=+) (.+) \1$", block)
        if heading:
            yield {"kind": "heading", "level": len(heading.group(1)), "text": heading.group(2), "id": "s%d" % number}
        elif block.startswith(" * "):
            yield {"kind": "list", "items": [inline(line[3:]) for line in block.split("\n")]}
        elif block.startswith("||"):
            rows = [[inline(cell.strip()) for cell in line.strip("|").split("||")] for line in block.split("\n")]
            yield {"kind": "table", "rows": rows}
        else:
            yield {"kind": "paragraph", "text": inline(block.replace("\n", " "))}


def render():
    page = {"title": "UnixSockets", "pages": PAGES, "blocks": list(blocks(TEXT))}
    return TEMPLATES.get_template("page.jinja").render(page)
