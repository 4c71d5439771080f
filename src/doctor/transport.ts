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
        message: (error as Error).message,
        explanation: 'Every nearwire server and socket throws this.',
        remedies: ['unset NEARWIRE_TRANSPORT'],
      },
      checkNode(),
    ];
  }
  return [...addonFindings(status), checkNode()];
}

function addonFindings({ transport, requested, addon, reason }: TransportStatus): Finding[] {
  if (addon === undefined) return [withoutAddon(requested, reason)];
  const loaded: Finding = { check: 'addon', level: 'ok', message: `the addon is loaded: ${addon}` };
  if (transport === 'native') return [loaded];
  const switchedOff: Finding = {
    check: 'transport.choice',
    level: 'warning',
    message: 'NEARWIRE_TRANSPORT=js: node:net is used for everything',
    explanation: 'The addon is available, but not used.',
    remedies: ['unset NEARWIRE_TRANSPORT'],
  };
  return [loaded, switchedOff];
}

function withoutAddon(requested: string, reason: Error | undefined): Finding {
  const { message, code } = (reason ?? new Error('unknown')) as NodeJS.ErrnoException;
  const own = process.env['NEARWIRE_ADDON'];
  return {
    check: 'addon',
    level: requested === 'native' ? 'problem' : 'warning',
    message: `the addon is not loaded: ${message.split('\n', 1)[0] ?? ''}`,
    explanation:
      requested === 'native'
        ? 'NEARWIRE_TRANSPORT=native: every server and socket throws ERR_NEARWIRE_NO_ADDON.'
        : 'node:net is used instead: correct, but slower, and files are copied.',
    remedies: addonFix(code, own),
  };
}

/** Where no prebuilt one fits. It is found there. */
const BUILD = 'npx node-gyp rebuild --directory node_modules/nearwire/native';

function addonFix(code: string | undefined, own: string | undefined): string[] {
  if (own !== undefined) return [`unset NEARWIRE_ADDON  # it names ${own}`];
  if (code === 'ERR_DLOPEN_DISABLED') return ['start node without --no-addons'];
  return [`${BUILD}  # needs g++, make and python3`];
}

function checkNode(): Finding {
  const { node, uv } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const message = `node ${node}, libuv ${uv}, ${process.platform} ${release()}, ${process.arch}`;
  const [oldMajor, oldMinor] = OLDEST_NODE;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return { check: 'node', level: 'ok', message };
  return {
    check: 'node',
    level: 'warning',
    message,
    explanation: `nearwire is tested from node ${String(oldMajor)}.${String(oldMinor)} on.`,
    remedies: ['install a newer version of node'],
  };
}
