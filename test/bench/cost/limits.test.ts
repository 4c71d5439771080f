/** `nearwire cost limits` with a real nginx: each limit gives out, each setting moves it, and nothing is left. */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import type * as LimitsModule from '../../../bench/cost/limits/index.js';
import type { Limit, LimitsResult } from '../../../bench/cost/limits/model.js';
import { renderLimits } from '../../../bench/cost/limits/text.js';
import { hasInEnvironment, readProcesses, titleOf } from '../../../bench/process-table.js';
import { runCli, startCli } from '../../support/cli.js';
import { folderForRuns, until } from '../../support/command-runs.js';
import { requireOrSkip } from '../../support/requirements.js';

const [addon, floor, nginx] = [requireOrSkip('addon'), requireOrSkip('floor'), requireOrSkip('nginx')];
const ready = addon !== undefined && floor !== undefined && nginx !== undefined && process.platform === 'linux';
const unshare = process.platform === 'linux' ? requireOrSkip('unshare') : undefined;

// The addon is found from where it is compiled to.
const { driveLimits } = (await import(
  new URL('../../../bench/dist/cost/limits/index.js', import.meta.url).href
)) as typeof LimitsModule;

const runs = folderForRuns();
const LIMITS = ['queue-unix', 'queue-tcp', 'ports', 'proxy-buffers', 'send-buffer'];
const MOST_SECONDS = 40;
const TIMEOUT_MILLIS = 90_000;
const WIDTH = 118;
const SCREEN_LINES = 50;
const MIB = 1024 * 1024;

function portSettings(): string[] {
  return ['ip_local_port_range', 'tcp_tw_reuse'].map((name) => readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8'));
}

/** Command lines of all processes that have the folder of these runs in theirs, or in their environment. */
function processesLeft(): string[] {
  const lines = readProcesses().map(({ pid }) => ({ pid, line: titleOf(pid) }));
  return lines
    .filter(({ pid, line }) => line.includes(runs.path) || hasInEnvironment(pid, `TMPDIR=${runs.path}`))
    .map(({ line }) => line);
}

function expectNothingLeft(): void {
  expect(processesLeft()).toEqual([]);
  expect(readdirSync(runs.path)).toEqual([]);
}

describe.skipIf(!ready || unshare === undefined)('a run', { timeout: TIMEOUT_MILLIS }, () => {
  let result: LimitsResult;
  const labels: string[] = [];
  let settings: readonly [readonly string[], readonly string[]];

  beforeAll(async () => {
    vi.stubEnv('TMPDIR', runs.path);
    const before = portSettings();
    result = await driveLimits({
      ...{ command: 'nearwire cost limits', signal: new AbortController().signal, onWarning: () => undefined },
      onProgress: ({ label }) => labels.push(label),
    });
    settings = [before, portSettings()];
    vi.unstubAllEnvs();
  }, TIMEOUT_MILLIS);

  function limit(name: Limit['name']): Limit {
    const found = result.limits.find((each) => each.name === name);
    if (found === undefined) throw new Error(`${name} is not among ${JSON.stringify(result.failures)}`);
    return found;
  }

  function gaveOut(name: Limit['name']): (number | null)[] {
    return limit(name).readings.map((reading) => reading.gaveOut);
  }

  it('drives all, in less than the time that is promised, and leaves nothing', () => {
    expect(result).toMatchObject({ schema: 1, failures: [], interrupted: false });
    expect(result.limits.map(({ name }) => name)).toEqual(LIMITS);
    expect(labels).toHaveLength(LIMITS.length);
    expect(result.seconds).toBeLessThan(MOST_SECONDS);
    expectNothingLeft();
  });

  it('fills the queue of a UNIX socket: 502, and where the backlog and the system put its end', () => {
    // It is full when backlog + 1 wait.
    expect(gaveOut('queue-unix')).toEqual([512, 1025, 257]);
    for (const { driven, gaveOut: held, statuses, logged } of limit('queue-unix').readings) {
      expect(statuses).toEqual({ 200: held, 502: driven - (held ?? 0) });
      expect(logged).toMatch(
        /^\d{4}\/\d\d\/\d\d [\d:]+ \[error\] .* connect\(\) to unix:\S+ failed \(11: Resource temporarily unavailable\) while connecting to upstream/,
      );
    }
  });

  it('fills the queue of TCP: no error but a wait, or 504 for who does not wait', () => {
    expect(gaveOut('queue-tcp')).toEqual([512, 1025, 512]);
    const [alone, longer, impatient] = limit('queue-tcp').readings;
    for (const reading of [alone, longer]) {
      expect(reading).toMatchObject({ statuses: { 200: reading?.driven }, logged: null });
      expect(reading?.p99).toBeGreaterThan(1000);
    }
    expect(impatient?.statuses).toEqual({ 200: 512, 504: (impatient?.driven ?? NaN) - 512 });
    expect(impatient?.logged).toContain('upstream timed out (110: Connection timed out) while connecting to upstream');
  });

  it('uses up the ports, but not with kept connections or over a UNIX socket, and none of the host', () => {
    // One has been taken to see that all serves.
    expect(gaveOut('ports')).toEqual([255, 511, null, null]);
    const [few, , ...others] = limit('ports').readings;
    expect(few?.statuses?.['502']).toBe((few?.driven ?? NaN) - 255);
    expect(few?.logged).toMatch(
      /\[crit\] .* connect\(\) to 127\.0\.0\.1:\d+ failed \(99: Cannot assign requested address\) while connecting to upstream/,
    );
    for (const { driven, statuses, logged } of others) {
      expect(driven).toBeGreaterThan(256);
      expect({ statuses, logged }).toEqual({ statuses: { 200: driven }, logged: null });
    }
    expect(settings[1]).toEqual(settings[0]);
  });

  it("overflows nginx's buffers into a file, later if there are more, and not if there may be none", () => {
    const [own, more, none] = limit('proxy-buffers').readings;
    // The user's own buffer holds most of it.
    expect(own?.gaveOut).toBeGreaterThan(64 * 1024);
    expect((more?.gaveOut ?? NaN) - (own?.gaveOut ?? NaN)).toBeGreaterThan(MIB);
    expect(own?.logged).toMatch(
      /\[warn\] .* an upstream response is buffered to a temporary file \S+ while reading upstream/,
    );
    expect(own?.kept).toBe(0);
    expect(none).toMatchObject({ gaveOut: null, logged: null });
    // It is the application that waits then.
    expect(none?.kept).toBeGreaterThan((none?.driven ?? NaN) / 2);
  });

  it('has more leave the application with a larger send buffer', () => {
    const [own, larger] = limit('send-buffer').readings;
    expect(own?.gaveOut).toBeGreaterThan(0);
    expect(larger?.gaveOut).toBeGreaterThan(own?.gaveOut ?? Infinity);
  });

  it('is told on one screen, with the words of the log and each setting', () => {
    const text = renderLimits(result, WIDTH);
    const lines = text.split('\n');
    expect(lines.length).toBeLessThanOrEqual(SCREEN_LINES);
    const flat = text.replace(/\s+/g, ' ');
    for (const words of [
      '512 connections nothing set: node requests a backlog of 511; 502 for ',
      "nginx's log: [error] connect() to unix:",
      'failed (11: Resource temporarily unavailable) while connecting to upstream',
      "nginx's log then: [error] upstream timed out (110: Connection timed out)",
      'failed (99: Cannot assign requested address)',
      'buffered to a temporary file',
    ]) {
      expect(flat).toContain(words);
    }
    for (const { readings } of result.limits) for (const { setting } of readings) expect(text).toContain(setting);
    // Of the connection and the request there is nothing.
    expect(text).not.toContain('client:');
    expect(renderLimits({ ...result, failures: ['ports: gone'] }, WIDTH)).toContain('failed: ports: gone');
  });
});

describe.skipIf(!ready)('the command', { timeout: TIMEOUT_MILLIS }, () => {
  it('tells what it did not try where no network of its own can be made, and the rest, in JSON', async () => {
    const env = { TMPDIR: runs.path, PATH: '/nowhere', NEARWIRE_NGINX: nginx };
    const { code, stdout, stderr } = await runCli(['cost', 'limits', '--json'], env);
    expect({ code, errors: stderr.includes('error') }).toEqual({ code: 0, errors: false });
    const result = JSON.parse(stdout) as LimitsResult;
    expect(Object.keys(result).sort()).toEqual(
      [
        ...['schema', 'host', 'versions', 'nginx', 'command', 'started', 'seconds'],
        ...['limits', 'notes', 'failures', 'interrupted'],
      ].sort(),
    );
    const readings = Object.fromEntries(result.limits.map((each) => [each.name, each.readings.length]));
    expect(readings).toEqual({ 'queue-unix': 2, 'queue-tcp': 3, ports: 0, 'proxy-buffers': 3, 'send-buffer': 2 });
    expect(result.limits[0]?.readings.map(({ gaveOut }) => gaveOut)).toEqual([512, 1025]);
    expect(renderLimits(result, WIDTH)).toContain(
      'not tried: a network namespace cannot be made here (spawnSync unshare',
    );
    expectNothingLeft();
  });

  it('drives the rest where a server does not start, and fails', async () => {
    const { code, stdout } = await runCli(['cost', 'limits'], { TMPDIR: runs.path, NEARWIRE_NGINX: '/bin/false' });
    expect(code).toBe(1);
    expect(stdout).toContain('failed: The listen queue of an application on a UNIX socket: nginx exited with 1');
    expect(stdout).toContain('The send buffer');
    expectNothingLeft();
  });

  it.each([
    { words: ['ports'], exit: 2, hint: 'too many arguments' },
    { words: ['--json', '/no-such-folder/x.json'], exit: 2, hint: 'cannot write into /no-such-folder' },
    { words: ['--html', 'x.html'], exit: 2, hint: "unknown option '--html'" },
    { nginx: '/no/such/nginx', exit: 3, hint: 'not installed: apt-get install nginx' },
  ])('says what is wrong, $hint', async ({ words = [], nginx: named, exit, hint }) => {
    const env = { TMPDIR: runs.path, ...(named !== undefined && { NEARWIRE_NGINX: named }) };
    const { code, stdout, stderr } = await runCli(['cost', 'limits', ...words], env);
    expect(stderr).toContain(hint);
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  });

  it.each([
    { at: 'limits, 1 of 5', told: /^$/ },
    { at: 'limits, 2 of 5', told: /^Limits between nginx[^]*1\. The listen queue[^]*\n\ninterrupted: the others/ },
  ])('leaves nothing after a Ctrl-C at $at', async ({ at, told }) => {
    const { child, result } = startCli(['cost', 'limits'], { TMPDIR: runs.path });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    // An application is there, and nginx.
    await until(() => said.includes(at) && processesLeft().some((line) => line.includes('apps/server.js')));
    child.kill('SIGINT');
    const { code, stdout } = await result;
    expect(code).toBe(130);
    expect(stdout).toMatch(told);
    expectNothingLeft();
  });
});
