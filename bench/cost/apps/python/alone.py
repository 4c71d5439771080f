"""Calls a WSGI application with no server around it, and tells what a call takes: one line of JSON."""
import importlib.util
import io
import json
import os
import statistics
import sys
import threading
import time

SLICES = 15


def load(file, name):
    file = os.path.abspath(file)
    folder = os.path.dirname(file)
    sys.path.insert(0, folder)
    os.chdir(folder)
    spec = importlib.util.spec_from_file_location("wsgi_application", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module
    for part in name.split("."):
        found = getattr(found, part)
    return found


def environ_of(method, path, body):
    path, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def call(application, method, path, body):
    told = []

    def start_response(status, headers, exc_info=None):
        told[:] = [status, headers]
        return lambda data: None

    parts = application(environ_of(method, path, body), start_response)
    try:
        size = sum(len(part) for part in parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    if not told or not told[0].startswith("200"):
        raise SystemExit("the application answered %s with %s" % (path, told[0] if told else "nothing"))
    return size


def answer_nothing(environ, start_response):
    start_response("200 OK", [])
    return [b""]


def repeat(seconds, work):
    """Calls it for so long: seconds and CPU seconds a call."""
    count, begun, cpu = 0, time.perf_counter(), time.process_time()
    until = begun + seconds
    while True:
        work()
        count += 1
        now = time.perf_counter()
        if now >= until:
            return (now - begun) / count, (time.process_time() - cpu) / count


def end_with_the_run():
    """Whoever started this holds the other end of stdin: an application that hangs is not to outlive it."""
    os.read(0, 1)
    os._exit(1)


def main():
    file, name, method, path, size, seconds = sys.argv[1:]
    # What the application prints is not the result.
    out, sys.stdout = sys.stdout, sys.stderr
    threading.Thread(target=end_with_the_run, daemon=True).start()
    application, body = load(file, name), b"x" * int(size)
    # What an application loads at its first request is no part of the others.
    bytes_sent = call(application, method, path, body)
    repeat(float(seconds) / 2, lambda: call(application, method, path, body))
    # Slices in turn, as the host has its moods; and the calling itself is no part of the application.
    slice_seconds = float(seconds) / SLICES
    differences = []
    for _ in range(SLICES):
        own = repeat(slice_seconds, lambda: call(application, method, path, body))
        empty = repeat(slice_seconds / 2, lambda: call(answer_nothing, method, path, body))
        differences.append([own[0] - empty[0], own[1] - empty[1]])
    taken, cpu = [statistics.median(column) * 1e6 for column in zip(*differences)]
    result = {"time": taken, "cpu": cpu, "bytes": bytes_sent}
    print(json.dumps({"result": result}), file=out, flush=True)


main()
