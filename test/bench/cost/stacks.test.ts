/** The stacks of `nearwire cost`: each answers each of its works, of our applications and of a user's, and ends as a whole. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

import type { RunningStack, Stack, StackPlace, Work } from '../../../bench/cost/model.js';
import { Processes } from '../../../bench/cost/processes.js';
import { findPrograms, missingOf } from '../../../bench/cost/programs.js';
import { STACKS, stackNamed } from '../../../bench/cost/stacks/index.js';
import { answerOf, emptyWork, HELLO, jsonWork, ownWork, PAGE } from '../../../bench/cost/works.js';
import { cpuOf } from '../../../bench/process-table.js';
import { ask, askMany, isMissing, programs, running } from '../../support/cost.js';
import { cleanup, nextTurn, temporaryDirectory } from '../../support/sockets.js';

const NAMES = [
  ...['nginx-uwsgi-unix', 'nginx-uwsgi-tcp', 'nginx-uwsgihttp-unix', 'nginx-uwsgihttp-tcp', 'uwsgi-http'],
  ...['apache-daemon', 'apache-embedded', 'yaws'],
  ...['node', 'nearwire'].flatMap((server) =>
    ['unix', 'tcp'].flatMap((family) => ['close', 'keep'].map((kind) => `nginx-${server}-${family}-${kind}`)),
  ),
  ...['node-unix', 'node-tcp', 'nearwire-unix', 'nearwire-tcp'],
  ...['nginx-nearwireuwsgi-unix', 'nginx-nearwireuwsgi-tcp'],
  ...['nginx', 'nginx-uws-unix', 'nginx-bun-unix', 'nginx-uwsgirouting-unix'],
];

const abort = new AbortController();
let processes: Processes;

beforeAll(async () => {
  processes = await Processes.start(abort.signal);
});

afterEach(() => vi.unstubAllEnvs());

afterAll(async () => {
  await processes.end();
  expect(existsSync(processes.folder)).toBe(false);
});

const context = (more: Partial<StackPlace> = {}): StackPlace => ({
  processes,
  programs,
  wsgi: undefined,
  app: undefined,
  signal: abort.signal,
  ...more,
});

async function started(stack: Stack, more: Partial<StackPlace> = {}): Promise<RunningStack> {
  const served = await stack.start(context(more));
  cleanup(() => served.stop());
  return served;
}

const WORKS: readonly Work[] = [HELLO, emptyWork(0), emptyWork(70_000), jsonWork(0), jsonWork(1.5), PAGE];

function rightAnswer(work: Work, body: Buffer): void {
  const expected = answerOf(work);
  if (work.answerBytes !== undefined) expect(body.length).toBe(work.answerBytes);
  if (expected !== undefined) expect(body.equals(Buffer.from(expected))).toBe(true);
  if (work.name === 'json') {
    const { name, items } = JSON.parse(body.toString()) as { name: string; items: unknown[] };
    expect(name).toBe('nearwire');
    expect(items).toHaveLength(12);
    expect(items[3]).toEqual({ id: 3, title: 'item 3', done: false });
  }
  if (work.name === 'page') {
    const text = body.toString();
    expect(text).toMatch(/^<!doctype html>[\s\S]*<\/html>$/);
    expect(text).toContain('<a class="wikilink" href="/ListenQueue/">ListenQueue</a>');
    expect(text.length).toBeGreaterThan(5_000);
  }
}

test('each row of the issue is there, by its name', () => {
  const names = STACKS.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(NAMES));
  expect(new Set(names).size).toBe(names.length);
});

describe.each(STACKS.map((stack) => [stack.name, stack] as const))('%s', (_, stack) => {
  test.skipIf(isMissing(stack))('answers each of its works, and stops as a whole', async () => {
    const served = await started(stack);
    for (const work of WORKS.filter(({ name }) => stack.works.includes(name))) {
      if (work === PAGE && missingOf(['python3-markdown'], programs) !== undefined) continue;
      const { status, body } = await ask(served.target, work);
      expect(`${work.path}: ${String(status)}`).toBe(`${work.path}: 200`);
      rightAnswer(work, body);
    }
    // A server that closes without a word loses some of these.
    expect(await askMany(served.target, HELLO, 200)).toEqual(Array.from({ length: 200 }, () => 200));
    const [front, app] = [served.pids('front'), served.pids('app')];
    expect(front.length > 0).toBe(stack.hop !== undefined || stack.name === 'nginx');
    expect(app.length > 0).toBe(stack.name !== 'nginx');
    expect(front.filter((pid) => app.includes(pid))).toEqual([]);
    await served.stop();
    expect(running([...front, ...app])).toEqual([]);
  });
});

describe('the CPU of an application', () => {
  const cpuMs = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + cpuOf(pid) / 1e3, 0);

  test.for(['uwsgi-http', 'yaws', 'node-unix'])('is burnt as asked for by %s', async (name, { skip }) => {
    const stack = stackNamed(name);
    skip(isMissing(stack) || process.platform !== 'linux');
    const { target, pids } = await started(stack);
    await ask(target, jsonWork(1));
    const before = cpuMs(pids('app'));
    for (let i = 0; i < 10; i++) expect((await ask(target, jsonWork(30))).status).toBe(200);
    // 300 ms. Yaws timed its steps when it was first asked: a core whose sibling was busy then and is not now, or whose
    // clock is another one, makes them in half the time.
    expect(cpuMs(pids('app')) - before).toBeGreaterThan(100);
  });
});

describe("a user's application for Node", () => {
  const LISTENER = `
    let connections = 0;
    const numbers = new WeakMap();
    function handler(request, response) {
      if (!numbers.has(request.socket)) numbers.set(request.socket, ++connections);
      response.end('connection ' + numbers.get(request.socket) + ' ' + request.url);
    }`;
  const made = (framework: string): string => `import made from ${JSON.stringify(import.meta.resolve(framework))};`;
  const FORMS = {
    'a default export': ['mjs', `${LISTENER} export default handler;`],
    'an export called handler': ['mjs', `${LISTENER} export { handler };`],
    'a CommonJS function': ['cjs', `${LISTENER} module.exports = handler;`],
    'a CommonJS handler': ['cjs', `${LISTENER} exports.handler = handler;`],
    'an http.Server': ['cjs', `${LISTENER} module.exports = require('node:http').createServer(handler);`],
    'an Express application': ['mjs', `${made('express')} ${LISTENER} export default made().use(handler);`],
    'a Koa application': [
      'mjs',
      `${made('koa')} ${LISTENER} const app = new made(); export default app;
       app.use((context) => { context.status = 200; context.respond = false; handler(context.req, context.res); });`,
    ],
    'a Fastify application': [
      'mjs',
      `${made('fastify')} ${LISTENER} const app = made(); export default app; const answer = (request, reply) => {
         reply.hijack(); handler(request.raw, reply.raw); };
       app.register(async (all) => { all.get('*', answer); });`,
    ],
  } as const;

  function fileOf(code: string, ending = 'mjs'): string {
    const file = join(temporaryDirectory(), `app.${ending}`);
    writeFileSync(file, code);
    return file;
  }

  test.each(Object.entries(FORMS))('is %s', async (_, [ending, code]) => {
    const { target } = await started(stackNamed('node-unix'), { app: fileOf(code, ending) });
    expect((await ask(target, ownWork('/a?b'))).body.toString()).toMatch(/^connection \d+ \/a\?b$/);
  });

  test.for([
    {
      what: 'that is none',
      code: 'export const answer = 42;',
      told: /^node exited with 1\n\S*app\.mjs exports no application/,
    },
    {
      what: 'that is never ready',
      code: 'setInterval(() => undefined, 1e6); await new Promise(() => undefined);',
      told: /^node did not serve within 1 s: connect ENOENT [\s\S]*\.sock/,
    },
    {
      what: 'that redirects',
      code: "export default (request, response) => response.writeHead(302, { Location: '/a' }).end();",
      told: /^node: GET \/ returned 302/,
    },
    {
      what: 'that is out of order behind a front',
      name: 'nginx-node-unix-close',
      code: "export default (request, response) => response.writeHead(503).end('down for <b>maintenance</b>');",
      told: /^node and nginx did not serve within 1 s: GET \/ returned 503: down for <b>maintenance<\/b>/,
    },
  ])('$what is told so', async ({ name = 'node-unix', code, told }, { skip }) => {
    const stack = stackNamed(name);
    skip(isMissing(stack));
    await expect(started(stack, { app: fileOf(code), patienceMs: 1000 })).rejects.toThrow(told);
  });

  test('is run where the command is, as if by hand', async () => {
    const app = fileOf('export default (request, response) => response.end(process.cwd());');
    const { target } = await started(stackNamed('node-unix'), { app });
    expect((await ask(target, ownWork('/'))).body.toString()).toBe(process.cwd());
  });

  const nginxRows = STACKS.filter(({ hop, language }) => language === 'node' && hop !== undefined);
  test.for(nginxRows)('sees the connections of $name', async (stack, { skip }) => {
    skip(isMissing(stack));
    const { target } = await started(stack, { app: fileOf(FORMS['a default export'][1]) });
    const numbers: string[] = [];
    for (let i = 0; i < 3; i++) numbers.push((await ask(target, ownWork('/'))).body.toString());
    expect(new Set(numbers).size).toBe(stack.hop?.connections === 'close' ? 3 : 1);
  });
});

describe("a user's WSGI application", () => {
  const CODE = `
import helper
def site(environ, start_response):
    status = helper.STATUS if environ['PATH_INFO'] != '/missing' else '404 Not Found'
    start_response(status, [('Content-Type', 'text/plain')])
    return [environ['REQUEST_METHOD'].encode(), b' ', environ['PATH_INFO'].encode()]
`;
  const rows = STACKS.filter(({ language }) => language === 'python');

  /** Its folder is one that Apache's user may enter. */
  function siteOf(status: string): StackPlace['wsgi'] {
    const folder = join(temporaryDirectory(), 'site');
    mkdirSync(folder);
    chmodSync(join(folder, '..'), 0o755);
    writeFileSync(join(folder, 'site_app.py'), CODE);
    writeFileSync(join(folder, 'helper.py'), `STATUS = '${status}'\n`);
    return { file: join(folder, 'site_app.py'), callable: 'site' };
  }

  test.for(rows)('is run by $name', async (stack, { skip }) => {
    skip(isMissing(stack));
    const own = { wsgi: siteOf('200 OK') };
    const { target } = await started(stack, own);
    const answer = await ask(target, ownWork('/some/page'));
    expect({ ...answer, body: answer.body.toString() }).toEqual({ status: 200, body: 'GET /some/page' });
    // Nothing is left in a folder of the user's.
    expect(readdirSync(dirname(own.wsgi?.file ?? '')).sort()).toEqual(['helper.py', 'site_app.py']);
  });

  test.for(rows)('has the active virtual environment in $name', async (stack, { skip }) => {
    skip(isMissing(stack) || !existsSync('/usr/bin/python3'));
    const own = { wsgi: siteOf('500 Not This') };
    const folder = dirname(own.wsgi?.file ?? '');
    const home = join(folder, '..', 'venv');
    execFileSync('/usr/bin/python3', ['-m', 'venv', '--without-pip', home]);
    const [python = ''] = readdirSync(join(home, 'lib'));
    rmSync(join(folder, 'helper.py'));
    writeFileSync(join(home, 'lib', python, 'site-packages', 'helper.py'), "STATUS = '200 OK'\n");
    vi.stubEnv('VIRTUAL_ENV', home);
    const { target } = await started(stack, own);
    expect((await ask(target, ownWork('/'))).status).toBe(200);
  });

  const uwsgi = stackNamed('uwsgi-http');
  test.skipIf(isMissing(uwsgi))('that fails is told with its status', async () => {
    const site = siteOf('200 OK');
    await expect(started(uwsgi, { wsgi: site, ownPath: '/missing' })).rejects.toThrow(
      /^uwsgi: GET \/missing returned 404: GET \/missing\n/,
    );
  });

  const RAISING = {
    'is loaded': ['1 / 0', /ZeroDivisionError: division by zero/],
    'is called': [
      'def site(environ, start_response):\n    raise KeyError("no such page")',
      /GET \/ returned 500: [^]*KeyError: 'no such page'/,
    ],
  } as const;
  const raised = rows.flatMap((stack) =>
    Object.entries(RAISING).map(([when, how]) => [stack.name, when, how] as const),
  );

  test.for(raised)('that raises an error is told at once by %s when it %s', async ([name, , how], { skip }) => {
    const stack = stackNamed(name);
    skip(isMissing(stack));
    const site = siteOf('200 OK');
    const [code, told] = how;
    writeFileSync(site?.file ?? '', `${code}\n`);
    await expect(started(stack, { wsgi: site, patienceMs: 600_000 })).rejects.toThrow(told);
  });

  test.skipIf(isMissing(uwsgi))("that can't be loaded is told in Python's words", async () => {
    const file = join(temporaryDirectory(), 'broken.py');
    writeFileSync(file, 'import no_such_module_here\n');
    await expect(started(uwsgi, { wsgi: { file, callable: 'application' } })).rejects.toThrow(
      /^uwsgi exited with \d+\n[\s\S]*No module named 'no_such_module_here'/,
    );
  });
});

describe('an abort', () => {
  /** What has come to be when it is aborted. */
  const MOMENTS = {
    'at once': () => true,
    'when the app is started': (folder: string) => existsSync(join(folder, 'node.log')),
    'when the front is configured': (folder: string) => existsSync(join(folder, 'nginx.conf')),
    'when the front is started': (folder: string) => existsSync(join(folder, 'nginx.log')),
  } as const;

  test.for(Object.keys(MOMENTS) as (keyof typeof MOMENTS)[])('%s ends a start', async (moment, { skip }) => {
    const stack = stackNamed('nginx-node-tcp-keep');
    skip(isMissing(stack));
    const controller = new AbortController();
    const { signal } = controller;
    const all = await Processes.start(signal);
    // It would be through before that is seen.
    const app = join(temporaryDirectory(), 'app.mjs');
    writeFileSync(app, 'export default (request, response) => response.writeHead(503).end();');
    const starting = stack.start(context({ processes: all, app, signal }));
    const outcome = expect(starting).rejects.toThrow('enough');
    while (!MOMENTS[moment](join(all.folder, '1'))) await nextTurn();
    controller.abort(new Error('enough'));
    await outcome;
    await all.end();
    expect(existsSync(all.folder)).toBe(false);
    await expect(stack.start(context({ processes: all, signal }))).rejects.toThrow('enough');
  });
});

describe('programs', () => {
  test('that are missing come with what to type', async () => {
    for (const name of ['NGINX', 'YAWS', 'BUN']) vi.stubEnv(`NEARWIRE_${name}`, '/no/such/program');
    const found = await findPrograms();
    const why = (name: string): string | undefined => missingOf(stackNamed(name).needs, found);
    expect(why('yaws')).toBe('not installed: apt-get install yaws');
    expect(why('nginx-node-unix-close')).toBe('not installed: apt-get install nginx');
    expect(why('nginx-bun-unix')).toBe('not installed: apt-get install nginx; npm install bun');
    expect(why('node-unix')).toBeUndefined();
  });
});
