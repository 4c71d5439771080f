/** `nearwire status`: what carries the bytes in this environment, and why. */
import { release } from 'node:os';
import { Command } from 'commander';
import { transportStatus } from '../engine/transport.js';
import { UsageError } from './usage.js';

/** No transport where one is needed: NEARWIRE_TRANSPORT=native without the addon. */
const UNAVAILABLE_EXIT = 3;

interface Status {
  readonly schema: 1;
  readonly transport: 'native' | 'js' | 'none';
  readonly requested: 'auto' | 'native' | 'js';
  /** The addon's file; null where it did not load. */
  readonly addon: string | null;
  /** Why it did not. */
  readonly reason: string | null;
  /** What reads plain requests of node:http servers on native connections. */
  readonly requests: 'native' | 'node';
  readonly node: string;
  readonly kernel: string;
  /** nearwire's variables that are set. */
  readonly environment: Readonly<Record<string, string>>;
}

export function statusCommand(): Command {
  return new Command('status')
    .description('what carries the bytes in this environment, and why')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 it works, 2 a wrong command line or variable, 3 NEARWIRE_TRANSPORT=native without the addon.',
    )
    .action(({ json }: { json?: boolean }) => {
      const status = findStatus();
      process.stdout.write(json === true ? `${JSON.stringify(status, null, 2)}\n` : describe(status));
      if (status.transport === 'none') process.exitCode = UNAVAILABLE_EXIT;
    });
}

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
    requests: isNative && process.env['NEARWIRE_REQUEST_READER'] !== '0' ? 'native' : 'node',
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
  native: 'native: the addon carries the bytes',
  js: 'js: node:net carries the bytes',
  none: 'none: NEARWIRE_TRANSPORT=native, and the addon did not load',
};

function describe({ transport, requested, addon, reason, requests, node, kernel, environment }: Status): string {
  const lines = [
    ['transport', TITLES[transport]],
    ['requested', requested],
    ['addon', addon ?? `not loaded: ${reason ?? 'no reason given'}`],
    ['requests', requests === 'native' ? "plain ones are read by the addon, others by node's parser" : "node's parser"],
    ['node', node],
    ['kernel', kernel],
    ...Object.entries(environment),
  ];
  const width = Math.max(...lines.map(([name = '']) => name.length));
  return lines.map(([name = '', value = '']) => `${name.padEnd(width)}  ${value}\n`).join('');
}
