"""The WSGI application: each work in the way an application does it."""
import json
import time

HELLO = b"hello world\n"
JSON_BYTES = 1024
# Between two readings of the clock, which are system calls: about 20 us.
STEPS = 1000


def dumps(document):
    return json.dumps(document, separators=(",", ":"))


DOCUMENT = {
    "name": "nearwire",
    "items": [{"id": i, "title": "item %d" % i, "done": i % 2 == 0} for i in range(12)],
    "padding": "",
}
DOCUMENT["padding"] = "." * (JSON_BYTES - len(dumps(DOCUMENT)))


def burn(ms):
    """So many milliseconds of this thread's CPU time."""
    until = time.thread_time_ns() + ms * 1e6
    while time.thread_time_ns() < until:
        for _ in range(STEPS):
            pass


def hello(environ):
    return "text/plain", HELLO


def answer_json(environ):
    burn(float(environ.get("QUERY_STRING", "").partition("ms=")[2] or 1))
    return "application/json", dumps(DOCUMENT).encode()


EMPTY = {}


def empty(environ):
    query = environ.get("QUERY_STRING", "")
    body = EMPTY.get(query)
    if body is None:
        body = EMPTY[query] = b"x" * int(query.partition("bytes=")[2])
    return "text/plain", body


def page(environ):
    # Its library may not be installed, and the others do without it.
    from page import render

    return "text/html; charset=utf-8", render().encode()


WORKS = {
    "/hello": hello,
    "/empty": empty,
    "/json": answer_json,
    "/page": page,
}


def application(environ, start_response):
    work = WORKS.get(environ.get("PATH_INFO", ""))
    if work is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]
    kind, body = work(environ)
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
