/** `nearwire status`: which transport this environment uses, and why. */
import { release } from 'node:os';
import { transportStatus } from '../engine/transport.js';
import { plainRequestsBy } from '../http/serve-plain.js';
import { command, REPORT_OPTIONS } from './command.js';
import { EXIT_CODES } from './exit-codes.js';
import { jsonText, print } from './output-file.js';
import { UsageError } from './usage.js';

interface Status {
  readonly schema: 1;
  readonly transport: 'native' | 'js' | 'none';
  readonly requested: 'auto' | 'native' | 'js';
  /** The addon's file; null if it did not load. */
  readonly addon: string | null;
  /** Why it did not load. */
  readonly reason: string | null;
  /** Whose code serves them. */
  readonly engine: 'nearwire' | 'node';
  readonly node: string;
  readonly kernel: string;
  /** nearwire's environment variables that are set. */
  readonly environment: Readonly<Record<string, string>>;
}

export const statusCommand = command({
  name: 'status',
  summary: 'show which transport is in use in this environment, and why',
  options: REPORT_OPTIONS,
  more: 'Exit codes: 0 it works; 2 invalid arguments or variable; 3 NEARWIRE_TRANSPORT=native without the addon.',
  run({ json, output }) {
    const status = findStatus();
    print(json === true ? jsonText(status) : describe(status), output);
    // The requested transport is not available.
    if (status.transport === 'none') process.exitCode = EXIT_CODES.unavailable;
  },
});

function findStatus(): Status {
  const { transport, requested, addon, reason } = statusOrUsage();
  const isMissing = requested === 'native' && addon === undefined;
  const isNative = transport === 'native';
  return {
    schema: 1,
    transport: isMissing ? 'none' : transport,
    requested,
    addon: addon ?? null,
    reason: reason?.message.split('\n', 1)[0] ?? null,
    engine: isNative ? plainRequestsBy() : 'node',
    node: process.versions.node,
    kernel: `${process.platform} ${release()}`,
    environment: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        name.startsWith('NEARWIRE_') && value !== undefined ? [[name, value]] : [],
      ),
    ),
  };
}

function statusOrUsage(): ReturnType<typeof transportStatus> {
  try {
    return transportStatus();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const TITLES: Readonly<Record<Status['transport'], string>> = {
  native: 'native: the addon loads, and carries the sockets of nearwire, and under nearwire/register',
  js: 'js: node:net',
  none: 'none: NEARWIRE_TRANSPORT=native, and the addon did not load',
};

function describe({ transport, requested, addon, reason, engine, ...host }: Status): string {
  const { node, kernel, environment } = host;
  const lines = [
    ['transport', TITLES[transport]],
    ['requested', requested],
    ['addon', addon ?? `not loaded: ${reason ?? 'no reason given'}`],
    ['engine', engine === 'nearwire' ? 'plain requests are served without streams' : "node's own"],
    ['node', node],
    ['kernel', kernel],
    ...Object.entries(environment),
  ];
  const width = Math.max(...lines.map(([name = '']) => name.length));
  return lines.map(([name = '', value = '']) => `${name.padEnd(width)}  ${value}\n`).join('');
}
