/** Sandboxes, and the system calls that they or an old kernel refuse. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import type { Finding } from './finding.js';
import type { ReadText } from './system-files.js';

/** The build date that gVisor's /proc/version has always shown: its Sentry is not Linux, but reports 4.4.0. */
const GVISOR_BUILD = 'Sun Jan 10 15:06:54 PST 2016';
const SECCOMP_MODES: Record<string, string> = { '1': 'strict', '2': 'a filter' };

/** The engine's substitute for each call; undefined: nothing works without it. */
const WITHOUT: Record<string, string | undefined> = {
  memfd_create: 'Pages are copied for each response instead of lent.',
  'fcntl(F_ADD_SEALS)': 'Pages are copied for each response instead of lent.',
  cachestat: 'Samples show whether a file is in memory; if preadv2 is refused too, files are read first.',
  sendfile: 'Files are read and written: one more copy, and about three times the CPU time for large files.',
  pipe2: 'Relays and received files pass through JavaScript.',
  splice: 'Relays and received files pass through JavaScript.',
  openat2: 'Files are opened in the thread pool, an event-loop iteration later.',
};

export function checkSandbox(read: ReadText): Finding[] {
  const version = read('/proc/version') ?? '';
  const findings: Finding[] = [];
  if (version.includes(GVISOR_BUILD) || /gvisor/i.test(version)) {
    findings.push({
      check: 'sandbox.gvisor',
      level: 'note',
      message: 'this is gVisor: its Sentry handles the system calls, not Linux',
      explanation:
        'UNIX sockets work; transfers that Linux does by reference (sendfile, splice) are copied or refused, and calls cost more.',
      remedies: ['docker run --runtime=runc  # if the isolation is not needed'],
    });
  }
  const mode = /^Seccomp:\s+(\d)/m.exec(read('/proc/self/status') ?? '')?.[1];
  const named = mode === undefined ? undefined : SECCOMP_MODES[mode];
  if (named !== undefined) {
    findings.push({
      check: 'sandbox.seccomp',
      level: 'note',
      message: `system calls are filtered (seccomp: ${named}); the calls that the engine needs are tried below`,
      explanation: 'The filter of a container or service may refuse newer calls.',
    });
  }
  return findings;
}

export type Trial = readonly [call: string, outcome: number];

/** Tries the calls in a separate process: a filter may kill it for one of them. */
export function checkCalls(addonIsLoaded: boolean): Finding[] {
  if (!addonIsLoaded) return [];
  const directory = mkdtempSync(join(tmpdir(), 'nearwire-doctor-'));
  try {
    const program = fileURLToPath(new URL('trial.js', import.meta.url));
    const words = [program, join(directory, 's')];
    const { status, signal, stdout, stderr, error } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    if (status === 0) return callFindings(JSON.parse(stdout) as Trial[], process.platform);
    const how = signal ?? `exit code ${String(status)}`;
    return [
      {
        check: 'calls',
        level: 'problem',
        message: `a process that tried the engine's system calls was ended by ${how}`,
        explanation:
          (error?.message ?? stderr.trim().split('\n').at(-1)) ||
          'A sandbox kills processes for calls that it does not know.',
        remedies: ["allow the calls that strace -f shows last in the container's seccomp profile"],
      },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function callFindings(trials: readonly Trial[], platform: string): Finding[] {
  const refused = trials.filter(([, outcome]) => outcome < 0);
  if (refused.length === 0) {
    const names = trials.map(([call]) => call).join(', ');
    return [{ check: 'calls', level: 'ok', message: `the engine's system calls work: ${names}` }];
  }
  return refused.map(([call, outcome]) => refusal(call, getSystemErrorName(outcome), platform));
}

function refusal(call: string, error: string, platform: string): Finding {
  const without = WITHOUT[call];
  // Only Linux has all of them: elsewhere, lacking one is not a fault.
  const isLack = platform !== 'linux' && error === 'ENOSYS';
  return {
    check: `calls.${call}`,
    level: without === undefined ? 'problem' : isLack ? 'note' : 'warning',
    message: `${call} fails with ${error}`,
    explanation: without ?? 'No socket of the native transport works without it.',
    ...(!isLack && { remedies: callFix(call, error) }),
  };
}

function callFix(call: string, error: string): string[] {
  const name = call.replace(/\(.*/, '');
  if (error === 'ENOSYS') return [`a newer kernel, or one whose sandbox has ${name}`];
  return [`allow "${name}" in the container's seccomp profile (docker run --security-opt seccomp=PROFILE.json)`];
}
