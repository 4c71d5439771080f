/** The lines that set what the sweep found, where they go, and where there are none. */
import { formatBytes } from '../format.js';
import { nameOf, rangesOf, usesOf, type Use } from './conclude.js';
import { distinct, type Conclusion, type Family, type Limits, type Setting, type Take } from './model.js';

/** What the lines are made from. */
export interface Found {
  readonly takes: readonly Take[];
  readonly conclusions: readonly Conclusion[];
  readonly limits: Limits;
  readonly family: Family;
  readonly platform: NodeJS.Platform;
}

const KIB = 1024;
const MIB = KIB * KIB;
/** What node's servers ask for, and ours. */
const BACKLOG = 511;

export function settingsFor(found: Found): Setting[] {
  const uses = usesOf(found.conclusions);
  const largest = uses.at(-1)?.buffer;
  return [
    ...nearwireLines(uses, found),
    ...slowReaderLines(found),
    ...(largest === undefined ? [] : [nginxListen(givenFor(largest, found), found)]),
    ...(found.conclusions.length === 0 ? [] : [NGINX_AS_FRONT]),
    ...(found.platform === 'darwin' ? darwinLines(largest, found) : linuxLines(found)),
  ];
}

function nearwireLines(uses: readonly Use[], found: Found): Setting[] {
  const { conclusions, family } = found;
  if (conclusions.length === 0) return [];
  if (uses.length === 0) {
    const isToldOfAll = conclusions.every(({ reason }) => reason !== 'few');
    const note = isToldOfAll ? 'for throughput nothing is to be set' : 'for throughput: too few rounds to tell';
    return [{ where: 'nearwire', lines: [], note }];
  }
  const lines = uses.map((use) => lineFor(use, found));
  const notes = [
    'for throughput',
    ...(uses.length > 1 ? ['a server has one buffer: take that of the responses that count'] : []),
    ...(family === 'tcp' ? ['over TCP a buffer that is set no longer grows and shrinks by net.ipv4.tcp_wmem'] : []),
  ];
  return [{ where: 'nearwire', lines, note: notes.join('; ') }];
}

/** Buffers that take whole responses, for servers whose readers lag. */
function slowReaderLines(found: Found): Setting[] {
  const uses = usesOf(forSlowReaders(found.conclusions));
  if (uses.length === 0) return [];
  const lines = uses.map((use) => lineFor(use, found));
  const auto = found.family === 'unix' ? AUTO : '';
  return [
    {
      where: 'nearwire',
      lines,
      note: `where readers lag, and the server has better to do than to wait for them: the smallest that take such responses whole though nobody reads; the kernel holds the memory while they lag${auto}`,
    },
  ];
}

const AUTO = "; on the native transport sendBuffer: 'auto' grows to hold what is written, up to 2 MiB";

/** As if what takes a response whole were what is to be set. */
function forSlowReaders(conclusions: readonly Conclusion[]): Conclusion[] {
  return conclusions.flatMap((found) => (found.whole === null ? [] : [{ ...found, buffer: found.whole }]));
}

function lineFor({ buffer, ways }: Use, found: Found): string {
  const sizes = distinct(found.conclusions.map(({ bytes }) => bytes)).sort((a, b) => a - b);
  const waysOfSizes = new Map<string, string[]>();
  for (const use of ways) {
    const ranges = rangesOf(use.sizes, sizes);
    waysOfSizes.set(ranges, [...(waysOfSizes.get(ranges) ?? []), use.way]);
  }
  const whom = [...waysOfSizes].map(([ranges, names]) => `${names.join(', ')} ${ranges}`).join('; ');
  const given = givenFor(buffer, found);
  const cut = given === buffer ? '' : ` (${formatBytes(buffer)} is cut to it)`;
  const forced = isBelowDefault(buffer, found) ? ', allowSmallBuffers: true' : '';
  return `createServer({ sendBuffer: ${String(given)}${forced} }) // ${formatBytes(given)}${cut}, for ${whom}`;
}

/** A server takes such a size only if told that it is meant. */
function isBelowDefault(buffer: number, { takes }: Found): boolean {
  const setOf = (choice: Take['buffer']): number | undefined => takes.find((take) => take.buffer === choice)?.set;
  return (setOf(buffer) ?? 0) < (setOf('default') ?? 0);
}

/** What to ask for, to have what was measured: where the system has cut a buffer, no more than it gives. */
function givenFor(buffer: number, { takes, platform }: Found): number {
  const cut = takes.find((take) => take.buffer === buffer && take.clamped);
  if (!cut) return buffer;
  return platform === 'linux' ? cut.set / 2 : cut.set;
}

/**
 * nginx 1.26 sets SO_SNDBUF on its listening socket alone. What is accepted from it has the same over TCP, and on macOS; on
 * Linux a UNIX connection has the system's default (seen with `ss -xm`).
 */
function nginxListen(buffer: number, { family, platform }: Found): Setting {
  const size = nginxSize(buffer);
  if (family === 'tcp') {
    return {
      where: 'nginx',
      lines: [`listen 127.0.0.1:8080 sndbuf=${size};`],
      note: 'where nginx is itself the server: sndbuf is of the connections that it accepts, to its clients',
    };
  }
  if (platform === 'darwin') {
    return {
      where: 'nginx',
      lines: [`listen unix:/tmp/nginx.sock sndbuf=${size};`],
      note: 'where nginx is itself the server: accepted connections have the buffer of the listening socket',
    };
  }
  return {
    where: 'nginx',
    lines: [],
    note: 'none where nginx is itself the server: on Linux "listen unix:... sndbuf=" sets the listening socket only, and accepted UNIX connections do not take it over (over TCP they do)',
  };
}

const NGINX_AS_FRONT: Setting = {
  where: 'nginx',
  lines: [],
  note: 'none for its connections to an upstream: what counts there is the send buffer of the application. nginx reads a response into proxy_buffer_size and proxy_buffers (uwsgi_buffers alike), and with proxy_buffering on writes what has no room there to a file',
};

/** As nginx's size parameters have it. */
function nginxSize(bytes: number): string {
  if (bytes % MIB === 0) return `${String(bytes / MIB)}m`;
  return bytes % KIB === 0 ? `${String(bytes / KIB)}k` : String(bytes);
}

function linuxLines({ takes, conclusions, limits }: Found): Setting[] {
  const settings: Setting[] = [];
  const clamped = takes.filter((take) => take.clamped).map(({ buffer }) => (buffer === 'default' ? 0 : buffer));
  const most = Math.max(0, ...clamped);
  // More would have to be let first, where more could help: the best was cut, or nothing took all of a response.
  const isCut = conclusions.some(
    ({ buffer, best, whole }) => clamped.some((size) => size === buffer || size === best.buffer) || whole === null,
  );
  if (most > 0 && isCut) {
    settings.push({
      where: 'sysctl',
      lines: [`sysctl -w net.core.wmem_max=${String(most)}`],
      note: `${nameOf(most)} was cut to net.core.wmem_max, ${String(limits.mostBuffer)} here: raise it, and sweep again (to keep it, a line in /etc/sysctl.d)`,
    });
  }
  const wanted = usesOf([...conclusions, ...forSlowReaders(conclusions)]).at(-1)?.buffer;
  if (wanted !== undefined && !clamped.includes(wanted)) {
    settings.push({
      where: 'sysctl',
      lines: [],
      note: `net.core.wmem_max must be ${String(wanted)} or more, here it is ${String(limits.mostBuffer)}: on a host that has less, sysctl -w net.core.wmem_max=${String(wanted)}`,
    });
  }
  return [...settings, ...backlogLine(limits, 'net.core.somaxconn')];
}

function darwinLines(largest: number | undefined, { limits }: Found): Setting[] {
  const settings: Setting[] = [];
  if (largest !== undefined) {
    settings.push({
      where: 'sysctl',
      lines: [
        `sysctl -w net.local.stream.sendspace=${String(largest)}`,
        `sysctl -w net.local.stream.recvspace=${String(largest)}`,
      ],
      note: 'only for programs that set no buffer themselves: the default of all UNIX sockets, 8,192 as macOS comes',
    });
  }
  return [...settings, ...backlogLine(limits, 'kern.ipc.somaxconn')];
}

function backlogLine({ somaxconn }: Limits, name: string): Setting[] {
  if (somaxconn === null || somaxconn >= BACKLOG) return [];
  return [
    {
      where: 'sysctl',
      lines: [`sysctl -w ${name}=${String(BACKLOG)}`],
      note: `a listen queue of ${String(BACKLOG)}, as servers ask for, is cut to ${String(somaxconn)}: not a matter of buffers, but of connections that are refused in a rush`,
    },
  ];
}
