/** Whether the native transport is available, and if not, why. */
import { release } from 'node:os';
import { transportStatus, type TransportStatus } from '../engine/transport.js';
import type { Finding } from './finding.js';

/** The lowest version that package.json's `engines` allows. */
const OLDEST_NODE: readonly [major: number, minor: number] = [20, 19];

export function checkTransport(): Finding[] {
  let status: TransportStatus;
  try {
    status = transportStatus();
  } catch (error) {
    return [
      {
        check: 'transport.choice',
        level: 'problem',
        what: (error as Error).message,
        why: 'Every server and socket of nearwire throws this.',
        fix: ['unset NEARWIRE_TRANSPORT'],
      },
      checkNode(),
    ];
  }
  return [...addonFindings(status), checkNode()];
}

function addonFindings({ transport, requested, addon, reason }: TransportStatus): Finding[] {
  if (addon === undefined) return [withoutAddon(requested, reason)];
  const loaded: Finding = { check: 'addon', level: 'ok', what: `the addon is loaded: ${addon}` };
  if (transport === 'native') return [loaded];
  const switchedOff: Finding = {
    check: 'transport.choice',
    level: 'warning',
    what: 'NEARWIRE_TRANSPORT=js: node:net carries everything',
    why: 'The addon is there and not used.',
    fix: ['unset NEARWIRE_TRANSPORT'],
  };
  return [loaded, switchedOff];
}

function withoutAddon(requested: string, reason: Error | undefined): Finding {
  const { message, code } = (reason ?? new Error('unknown')) as NodeJS.ErrnoException;
  const own = process.env['NEARWIRE_ADDON'];
  return {
    check: 'addon',
    level: requested === 'native' ? 'problem' : 'warning',
    what: `the addon is not loaded: ${message.split('\n', 1)[0] ?? ''}`,
    why:
      requested === 'native'
        ? 'NEARWIRE_TRANSPORT=native: every server and socket throws ERR_NEARWIRE_NO_ADDON.'
        : 'node:net carries everything instead: correct, but slower, and files are copied.',
    fix: addonFix(message, code, own),
  };
}

function addonFix(message: string, code: string | undefined, own: string | undefined): string[] {
  if (own !== undefined) return [`unset NEARWIRE_ADDON  # it names ${own}`];
  if (/GLIBC|libstdc\+\+|ld-musl/.test(message)) return ['npm rebuild nearwire --build-from-source'];
  if (code === 'ERR_DLOPEN_DISABLED') return ['start node without --no-addons'];
  return [
    'npm rebuild nearwire  # needs g++, make and python3 where no prebuilt one fits',
    'npm install without --ignore-scripts',
  ];
}

function checkNode(): Finding {
  const { node, uv } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const what = `node ${node}, libuv ${uv}, ${process.platform} ${release()}, ${process.arch}`;
  const [oldMajor, oldMinor] = OLDEST_NODE;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return { check: 'node', level: 'ok', what };
  return {
    check: 'node',
    level: 'warning',
    what,
    why: `nearwire is tested from node ${String(oldMajor)}.${String(oldMinor)} on.`,
    fix: ['install a newer node'],
  };
}
