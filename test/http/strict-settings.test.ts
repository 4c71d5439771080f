/** How a server becomes strict: options, the environment, and an unchanged program. */
import * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { attach, createServer, serve, type HttpServerOptions } from 'nearwire/http';
import { childResult, startChild } from '../support/children.js';
import { chunked, exchange, get, HOST } from '../support/fetch-servers.js';
import { listen, socketPath } from '../support/sockets.js';
import { strictWays } from '../support/strict.js';

const TWO_HOSTS = get('/', `${HOST}Connection: close\r\n`);
const REFUSAL = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n';

const built = (entry: string): string => JSON.stringify(new URL(`../../dist/bundle/${entry}.js`, import.meta.url).href);

/** A program of one server, which says what a request with two Hosts gets. */
function program(make: string, where: string): string {
  return `
    import * as http from 'node:http';
    import * as net from 'node:net';
    const answer = (request, response) => response.end();
    ${make}
    server.listen(${where}, () => {
      const at = server.address();
      const client = net.connect(typeof at === 'string' ? { path: at } : { port: at.port, host: '127.0.0.1' });
      client.write(${JSON.stringify(TWO_HOSTS)});
      let text = '';
      client.on('data', (chunk) => (text += chunk)).on('close', () => {
        process.stdout.write(JSON.stringify(text.split('\\r\\n')[0]) + '\\n');
        server.close();
      });
    });`;
}

async function runWith(variables: Readonly<Record<string, string>>, code: string): Promise<unknown[]> {
  const set = Object.entries(variables).map(([name, value]) => `process.env.${name} = ${JSON.stringify(value)};`);
  const late = `${set.join('\n')}\nawait import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(code)}));`;
  const { said, stderr } = await childResult(startChild('js', late));
  return stderr === '' ? said : [stderr];
}

const OURS = (options: string): string => `
  const { createServer } = await import(${built('http')});
  const server = createServer(${options}, answer);`;
const UNCHANGED = `
  await import(${built('register')});
  const server = http.createServer(answer);`;
const TCP = '{ port: 0, host: "127.0.0.1" }';
const BAD = 'HTTP/1.1 400 Bad Request';
const GOOD = 'HTTP/1.1 200 OK';

describe('the option', () => {
  it.each(['yes', 1, null])('must be a boolean: %s', (strict) => {
    const options = { strict } as unknown as HttpServerOptions;
    const refusal = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) as Error;
    expect(() => createServer(options)).toThrow(refusal);
    expect(() => attach(http.createServer(), options)).toThrow(refusal);
    const server = attach(http.createServer());
    expect(() => attach(server, options)).toThrow(refusal);
  });

  it('may be given again after an attempt that has failed', async () => {
    const make = `
      const { attach } = await import(${built('http')});
      const server = http.createServer(answer);
      try {
        attach(server, { transport: 'native', strict: true });
      } catch ({ code }) {
        process.stdout.write(JSON.stringify(code) + '\\n');
      }
      attach(server, { transport: 'js', strict: true });`;
    const variables = { NEARWIRE_ADDON: '/nowhere/addon.node' };
    expect(await runWith(variables, program(make, TCP))).toEqual(['ERR_NEARWIRE_NO_ADDON', BAD]);
  });

  it('needs a server that reads HTTP', () => {
    const server = http.createServer().removeAllListeners('connection');
    expect(() => attach(server, { strict: true })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });
});

describe.each(strictWays)('the option: $name', ({ name, options }) => {
  it('is taken by attach(), with listeners that are there before', async () => {
    let connections = 0;
    const server = http.createServer((_, response) => response.end()).on('connection', () => connections++);
    attach(server, { ...options, strict: true });
    expect(await exchange(await listen(server, 'unix'), TWO_HOSTS)).toBe(REFUSAL);
    expect(connections).toBe(1);
  });

  it.each([{ requireHostHeader: false }, { insecureHTTPParser: true }])('stands above %j', async (more) => {
    const server = createServer({ ...options, ...more, strict: true }, (_, response) => response.end());
    const address = await listen(server, 'unix');
    expect(await exchange(address, 'GET / HTTP/1.1\r\nA: b\r\n\r\n')).toBe(REFUSAL);
    // Which that parser takes for ends of lines.
    expect(await exchange(address, `GET / HTTP/1.1\r\n${HOST}\r\r`.repeat(2))).toBe(REFUSAL);
    expect(await exchange(address, 'GET / HTTP/1.1\rHost: x\r\r\n')).toBe(REFUSAL);
    expect(await exchange(address, 'GET / HTTP/1.1\rHost: x\r\rGET')).toBe(REFUSAL);
  });

  it('is taken by serve()', async () => {
    const urls: string[] = [];
    const server = serve({
      ...options,
      strict: true,
      fetch: async (request) => {
        urls.push(new URL(request.url).pathname);
        return new Response(await request.text());
      },
    });
    const address = await listen(server, 'tcp');
    expect(await exchange(address, TWO_HOSTS)).toBe(REFUSAL);
    expect(await exchange(address, get('/a') + get('/b', HOST) + get('/c'))).toMatch(
      /^HTTP\/1\.1 200 OK[^]*400 Bad Request/,
    );
    expect(await exchange(address, chunked('/d', 'hello').replace('5\r\n', '5;\r\n'))).toBe(REFUSAL);
    expect(urls).toEqual(['/a', '/d']);
  });

  it('leaves plain requests to the engine that reads them anyway', async () => {
    const parsers: string[] = [];
    const server = createServer({ ...options, strict: true }, ({ socket }, response) => {
      parsers.push(typeof Object.getOwnPropertyDescriptor(socket, 'parser'));
      response.end();
    });
    await exchange(await listen(server, 'unix'), get('/', 'Connection: close\r\n'));
    expect(parsers).toEqual([name === 'native' ? 'undefined' : 'object']);
  });
});

describe('NEARWIRE_HTTP_STRICT', () => {
  const unix = (): string => JSON.stringify(socketPath());

  it('is for all servers that do not say otherwise', async () => {
    const variables = { NEARWIRE_HTTP_STRICT: '1', NEARWIRE_TRANSPORT: 'auto' };
    expect(await runWith(variables, program(OURS('{}'), unix()))).toEqual([BAD]);
    expect(await runWith(variables, program(OURS('{ transport: "js" }'), TCP))).toEqual([BAD]);
    expect(await runWith(variables, program(OURS('{ strict: false }'), unix()))).toEqual([GOOD]);
    for (const value of ['0', '']) {
      expect(await runWith({ NEARWIRE_HTTP_STRICT: value }, program(OURS('{}'), unix()))).toEqual([GOOD]);
    }
  });

  it('has two values', async () => {
    for (const make of [OURS('{}'), UNCHANGED]) {
      const [error] = await runWith({ NEARWIRE_HTTP_STRICT: 'yes' }, program(make, unix()));
      expect(error).toContain("[ERR_INVALID_ARG_VALUE]: The argument 'NEARWIRE_HTTP_STRICT' must be '0' or '1'");
    }
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['natively', { NEARWIRE_TRANSPORT: 'auto' }, false],
    ["by node's code", { NEARWIRE_TRANSPORT: 'auto', NEARWIRE_HTTP: 'node' }, false],
    ['over TCP, natively', { NEARWIRE_TRANSPORT: 'auto', NEARWIRE_TCP: '1' }, true],
    ['over TCP, which node carries', { NEARWIRE_TRANSPORT: 'auto' }, true],
    ['without the addon', { NEARWIRE_TRANSPORT: 'js' }, false],
  ])('is for unchanged programs: %s', async (_, variables, tcp) => {
    const code = program(UNCHANGED, tcp ? TCP : unix());
    expect(await runWith({ ...variables, NEARWIRE_HTTP_STRICT: '1' }, code)).toEqual([BAD]);
    expect(await runWith(variables, code)).toEqual([GOOD]);
  });

  it('leaves servers of uwsgi, TLS and bytes as they are', async () => {
    const code = `
      await import(${built('register')});
      const { createServer } = await import(${built('uwsgi')});
      const { default: net } = await import('node:net');
      for (const server of [createServer(() => {}), net.createServer()]) {
        await new Promise((resolve) => server.listen(${TCP}, resolve));
        server.close();
      }
      process.stdout.write('"listened"\\n');`;
    expect(await runWith({ NEARWIRE_HTTP_STRICT: '1', NEARWIRE_TRANSPORT: 'auto' }, code)).toEqual(['listened']);
  });

  it('is for worker threads', async () => {
    const code = `
      import { Worker } from 'node:worker_threads';
      new Worker(${JSON.stringify(program(OURS('{}'), unix()))
        .replace(/^"/, '"(async () => {')
        .replace(/"$/, '})()"')
        .replace("import * as http from 'node:http';", "const http = await import('node:http');")
        .replace("import * as net from 'node:net';", "const net = await import('node:net');")}, { eval: true });`;
    expect(await runWith({ NEARWIRE_HTTP_STRICT: '1', NEARWIRE_TRANSPORT: 'auto' }, code)).toEqual([BAD]);
  });
});
