"""What test/uwsgi-request.test.ts asks of a real uWSGI."""

import hashlib
import json
import time

import uwsgi


def environ(env, start_response):
    """All the variables that are text, as they came."""
    seen = {name: value for name, value in env.items() if isinstance(value, str)}
    start_response('200 OK', [('Content-Type', 'application/json'), ('X-Twice', 'a'), ('X-Twice', 'b'),
                              ('Set-Cookie', 'a=1; Path=/'), ('Set-Cookie', 'b=2')])
    return [json.dumps(seen).encode()]


def digest(env, start_response):
    """The length and the hash of the request's body."""
    sha, length = hashlib.sha256(), 0
    while chunk := env['wsgi.input'].read(65536):
        sha.update(chunk)
        length += len(chunk)
    body = f'{length} {sha.hexdigest()}'.encode()
    start_response('201 Created', [('Content-Length', str(len(body)))])
    return [body]


def count(env, start_response):
    """So many bytes; `length` says whether their number is told before, `cut` how many of them are left out."""
    words = dict(pair.split('=') for pair in env['QUERY_STRING'].split('&'))
    length = int(words['bytes'])
    headers = [('Content-Length', str(length))] if words.get('length') == 'yes' else []
    start_response('200 OK', headers)
    left = length - int(words.get('cut', '0'))
    block = bytes(range(256)) * 256
    while left > 0:
        yield block[:left]
        left -= len(block)


def chunks(env, start_response):
    """As programs do that think to speak HTTP: in chunks of every size up to the one asked for."""
    start_response('200 OK', [('Transfer-Encoding', 'chunked')])
    block = bytes(range(256)) * 256
    for size in range(1, int(env['QUERY_STRING'])):
        yield b'%x;name=value\r\n%b\r\n' % (size, block[:size])
    yield b'0\r\nX-Trailer: dropped\r\n\r\n'


def status(env, start_response):
    start_response(env['QUERY_STRING'].replace('+', ' '), [('X-Method', env['REQUEST_METHOD'])])
    return []


def refuse(env, start_response):
    """Answers without a look at the body."""
    start_response('413 Content Too Large', [('Content-Length', '5')])
    return [b'large']


def die(env, start_response):
    """The worker goes away in the middle of the request."""
    import os
    os._exit(1)


def silence(env, start_response):
    """Holds its answer back until somebody asks for /speak."""
    uwsgi.cache_del('speak')
    while uwsgi.cache_get('speak') is None:
        time.sleep(0.01)
    start_response('200 OK', [])
    return [b'at last']


def speak(env, start_response):
    uwsgi.cache_set('speak', b'1')
    start_response('204 No Content', [])
    return []


def halfway(env, start_response):
    """The head and some of the body, and the rest when somebody asks for /speak."""
    uwsgi.cache_del('speak')
    start_response('200 OK', [('Content-Length', '10')])
    yield b'first'
    while uwsgi.cache_get('speak') is None:
        time.sleep(0.01)
    yield b'-last'


def application(env, start_response):
    name = env['PATH_INFO'].split('/')[1]
    return globals()[name](env, start_response)
