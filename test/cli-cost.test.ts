/** The command `nearwire cost`, as a user types it: what it refuses, a first look, and an end before its time. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { beforeAll, describe, expect, test } from 'vitest';

import type { CostJson } from '../bench/cost/json.js';
import { median } from '../bench/statistics.js';
import { runCli, startCli, type CliResult } from './support/cli.js';
import { folderForRuns, until } from './support/command-runs.js';
import { requireOrSkip } from './support/requirements.js';

const addon = requireOrSkip('addon');
const floor = requireOrSkip('floor');
const ready = addon !== undefined && floor !== undefined && process.platform === 'linux';

const runs = folderForRuns();

function readResult(file: string): CostJson {
  return JSON.parse(readFileSync(file, 'utf8')) as CostJson;
}

/** Processes that have this in their environment. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, 'utf8').includes(mark);
    } catch {
      // It has ended meanwhile, or is another user's.
      return false;
    }
  });
}

describe('words that make no sense exit 2 with a hint', () => {
  test.each([
    { words: ['--quik'], hint: 'Did you mean --quick?' },
    { words: ['hello'], hint: 'too many arguments' },
    { words: ['--stack', 'nginx-uswgi-unix'], hint: 'Did you mean nginx-uwsgi-unix?' },
    { words: ['--stack', ''], hint: 'There are: nginx-uwsgi-unix' },
    { words: ['--stack', 'proxy'], hint: 'the stack proxy is for --quick' },
    { words: ['--quick', '--stack', 'yaws'], hint: 'yaws is not among the stacks of --quick' },
    { words: ['--work', 'helo'], hint: 'Did you mean hello?' },
    { words: ['--work', 'own'], hint: 'name it by --wsgi FILE:CALLABLE or --app FILE.js' },
    { words: ['--app-ms', 'five'], hint: '--app-ms takes a number from 0 to 60000' },
    { words: ['--app-ms', '-1'], hint: '--app-ms takes a number from 0' },
    { words: ['--app-ms', '1e3'], hint: '--app-ms takes a number from 0' },
    { words: ['--rounds', '0'], hint: 'a whole number from 1' },
    { words: ['--wsgi', 'wiki.py'], hint: 'as in --wsgi wiki.py:application' },
    { words: ['--wsgi', '/no/such/wiki.py:application'], hint: 'no such file' },
    { words: ['--wsgi', '/tmp:application'], hint: 'is no file' },
    { words: ['--wsgi', 'package.json:application', '--quick'], hint: '--quick uses none' },
    { words: ['--app', '/no/such/app.js'], hint: 'no such file' },
    { words: ['--app', 'package.json', '--stack', 'yaws'], hint: 'Those that do: nginx-node-unix-close' },
    { words: ['--wsgi', 'package.json:application', '--stack', 'node-unix'], hint: 'Those that do: nginx-uwsgi-unix' },
    { words: ['--app', 'package.json', '--work', 'json'], hint: 'as in --work own,json' },
    {
      words: ['--stack', 'uwsgi-http,yaws', '--work', 'page'],
      hint: 'the stack yaws does not do page; it does: hello',
    },
    { words: ['--stack', 'yaws,node-tcp', '--app', 'package.json', '--work', 'own'], hint: 'yaws does not do own' },
    { words: ['--path', '/wiki'], hint: 'name it by --wsgi or --app' },
    { words: ['--app', 'package.json', '--path', 'wiki page'], hint: 'as in --path /wiki/FrontPage' },
    { words: ['--quick', '--overload'], hint: '--quick is without it' },
    { words: ['--json'], hint: 'argument missing' },
    { words: ['--html', '/no-such-folder/x.html'], hint: 'cannot write into /no-such-folder' },
  ])('$words', async ({ words, hint }) => {
    const { code, stdout, stderr } = await runCli(['cost', ...words]);
    expect(stderr).toContain(hint);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });
});

test('the help names all stacks and works', async () => {
  const { code, stdout } = await runCli(['cost', '--help']);
  expect(code).toBe(0);
  for (const word of ['--app-ms', '--wsgi', 'nginx-uwsgi-unix', 'proxy-nearwire-unix-close', 'hello (hello world)']) {
    expect(stdout).toContain(word);
  }
});

test('without the plain C program nothing is measured, and the reason is told', async () => {
  const { code, stdout, stderr } = await runCli(['cost', '--quick'], { NEARWIRE_FLOOR: join(runs.path, 'no-floor') });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('nothing is left to run');
});

test('stacks whose programs are not there are told with the line that installs them', async () => {
  const words = ['cost', '--stack', 'yaws', '--work', 'hello'];
  const { code, stderr } = await runCli(words, { NEARWIRE_YAWS: join(runs.path, 'no-yaws') });
  expect(code).toBe(1);
  expect(stderr).toContain('yaws: not installed: apt-get install yaws');
});

test('without Jinja2 it is told what the page needs', async () => {
  const words = ['cost', '--stack', 'uwsgi-http', '--work', 'page'];
  const { code, stderr } = await runCli(words, { NEARWIRE_PYTHON3: join(runs.path, 'no-python') });
  expect(code).toBe(1);
  expect(stderr).toMatch(/the work page is left out: .*python3-jinja2|uwsgi-http: not installed/);
});

describe.skipIf(!ready)('a first look', () => {
  const stacks = ['proxy-nearwire-unix-close', 'proxy-node-tcp-keep', 'nearwire-unix', 'proxy'];
  let cli: CliResult;
  let json: CostJson;
  let page = '';

  beforeAll(async () => {
    const [file, html] = [join(runs.path, 'quick.json'), join(runs.path, 'quick.html')];
    const words = ['cost', '--quick', '--rounds', '2', '--stack', stacks.join(','), '--work', 'hello,download,upload'];
    cli = await runCli([...words, '--json', file, '--html', html], { TMPDIR: runs.path });
    if (cli.code === 0) json = readResult(file);
    if (cli.code === 0) page = readFileSync(html, 'utf8');
  }, 120_000);

  test('succeeds and leaves nothing behind', () => {
    expect(cli.stdout).not.toContain('failed');
    expect(cli.stderr).not.toContain('rror');
    expect(cli.code).toBe(0);
    expect(runs.leftovers('nearwire-')).toEqual([]);
  });

  test('has a row for each stack and work, and what nearwire stands in for is labelled', () => {
    expect(json).toMatchObject({ schema: 1, quick: true, interrupted: false, failures: [], missing: [] });
    expect(json.stacks.map(({ name }) => name).sort()).toEqual(stacks.toSorted());
    for (const { name, title } of json.stacks) expect(title.includes('(not nginx)')).toBe(name.startsWith('proxy'));
    const rows = json.rows.map(({ stack, work }) => `${stack} ${work}`);
    expect(rows.sort()).toEqual(
      stacks.flatMap((stack) => ['hello', 'download', 'upload'].map((work) => `${stack} ${work}`)).sort(),
    );
    for (const { stack, latency, rate, p99, cpu } of json.rows) {
      for (const { median, rounds } of [latency, rate, p99])
        expect({ good: median > 0, rounds }).toEqual({ good: true, rounds: 2 });
      const roles = stack === 'proxy' ? ['front'] : stack.startsWith('proxy') ? ['app', 'front'] : ['app'];
      expect(Object.keys(cpu).sort()).toEqual(roles);
    }
  });

  test('has the samples that its figures were computed from', () => {
    const { measurements, hops, applications } = json.samples;
    for (const { stack, work, latency } of json.rows) {
      const times = measurements
        .filter((sample) => sample.stack === stack && sample.work === work)
        .flatMap(({ load, p50 }) => (load.kind === 'closed' && load.connections === 1 ? [p50] : []));
      expect([times.length, median(times)]).toEqual([2, latency.median]);
    }
    expect(hops.length).toBeGreaterThan(0);
    expect(new Set(applications.map(({ language }) => language))).toEqual(new Set(['node']));
  });

  test('shows it on the terminal, and as a page', () => {
    // Not on a terminal: plain text.
    expect(stripVTControlCharacters(cli.stdout)).toBe(cli.stdout);
    expect(cli.stdout).toMatch(/a\s+first\s+look/);
    expect(cli.stdout).toContain('Node, hello  hello world');
    expect(cli.stdout).toContain("nearwire's proxy (not nginx)");
    expect(page).toContain('id="stacks-node"');
  });
});

test.skipIf(!ready)('an application of the user, at a path of its own', async () => {
  const app = join(runs.path, 'app.cjs');
  writeFileSync(
    app,
    "module.exports = (req, res) => { res.statusCode = req.url === '/page?x=1' ? 200 : 404; res.end('mine'); };",
  );
  const file = join(runs.path, 'own.json');
  const words = ['cost', '--quick', '--rounds', '1', '--stack', 'nearwire-unix,proxy-node-unix-close', '--app', app];
  const { code, stdout } = await runCli([...words, '--path', '/page?x=1', '--json', file], { TMPDIR: runs.path });
  expect(stdout).not.toContain('failed');
  expect(code).toBe(0);
  const { rows, works } = readResult(file);
  expect(works).toMatchObject([{ name: 'own', path: '/page?x=1' }]);
  expect(rows.map(({ stack, work }) => `${stack} ${work}`).sort()).toEqual([
    'nearwire-unix own',
    'proxy-node-unix-close own',
  ]);
});

describe.skipIf(!ready)('an end before its time', () => {
  test.each([
    { signal: 'SIGINT' as const, code: 130 },
    { signal: 'SIGTERM' as const, code: 143 },
  ])('$signal leaves no process and no file, and what was measured is shown', async ({ signal, code }) => {
    const file = join(runs.path, `${signal}.json`);
    const mark = `NEARWIRE_TEST_MARK=${signal}-${String(process.pid)}`;
    const words = ['cost', '--quick', '--rounds', '50', '--stack', 'nearwire-unix', '--work', 'hello', '--json', file];
    const [name = '', value = ''] = mark.split('=');
    const { child, result } = startCli(words, { TMPDIR: runs.path, [name]: value });
    await new Promise<void>((resolve) => {
      let told = '';
      child.stderr?.on('data', (part: string) => {
        told += part;
        if (told.includes('round 2 of 50')) resolve();
      });
    });
    expect(processesWith(mark).length).toBeGreaterThan(1);
    child.kill(signal);
    const ended = await result;
    expect(ended.code).toBe(code);
    expect(ended.stdout).toContain('interrupted');
    expect(readResult(file)).toMatchObject({ interrupted: true, failures: [], rows: [{ stack: 'nearwire-unix' }] });
    await until(() => processesWith(mark).length === 0);
    expect(runs.leftovers('nearwire-')).toEqual([]);
  });
});
