/** The lines that apply the findings, where they belong, and where there are none. */
import { formatBytes } from '../format.js';
import { buffersOf, nameOf } from './conclude.js';
import type { BufferChoice, Conclusion, Family, Findings, Setting } from './model.js';
import { sizesOf, waysOf } from './model.js';

/** The input for the lines. */
export interface Found extends Omit<Findings, 'settings'> {
  readonly family: Family;
  readonly platform: NodeJS.Platform;
}

/** The default backlog of node's servers, and of nearwire's. */
const BACKLOG = 511;

export function settingsFor(found: Found): Setting[] {
  const { conclusions, platform } = found;
  if (conclusions.length === 0) return backlogLine(found);
  const largest = buffersOf(conclusions).at(-1);
  return [
    forThroughput(found),
    ...forSlowReaders(found),
    ...(largest === undefined ? [] : [nginxListen(givenFor(largest, found), found)]),
    NGINX_AS_FRONT,
    ...(platform === 'darwin' ? darwinLines(largest) : linuxLines(found)),
    ...backlogLine(found),
  ];
}

function setting(where: Setting['where'], note: string, ...lines: readonly string[]): Setting {
  return { where, lines, note };
}

function forThroughput(found: Found): Setting {
  const { conclusions, family } = found;
  const lines = serverLines(conclusions, found);
  if (lines.length === 0) {
    const isTooFew = conclusions.some(({ reason }) => reason === 'few');
    return setting('nearwire', `for throughput${isTooFew ? ': too few rounds to tell' : ' nothing is to be set'}`);
  }
  const notes = [
    'for throughput',
    ...(lines.length > 1 ? ['a server has one buffer size: choose that of your main responses'] : []),
    ...(family === 'tcp' ? ['over TCP a buffer that is set no longer grows and shrinks within net.ipv4.tcp_wmem'] : []),
  ];
  return setting('nearwire', notes.join('; '), ...lines);
}

/** Buffers that take whole responses, for servers whose readers lag. */
function forSlowReaders(found: Found): Setting[] {
  const lines = serverLines(wholeOf(found), found);
  if (lines.length === 0) return [];
  const auto = "; on the native transport sendBufferSize: 'auto' grows to hold what is written, up to 2 MiB";
  const note =
    'for slow readers, if the server must not wait for them: the smallest sizes that hold whole responses of these sizes unread; the kernel holds the memory until they are read';
  return [setting('nearwire', `${note}${found.family === 'unix' ? auto : ''}`, ...lines)];
}

/** Treats the buffer that takes a whole response as the recommended one. */
function wholeOf({ conclusions }: Found): Conclusion[] {
  return conclusions.flatMap((found) => (found.whole === null ? [] : [{ ...found, buffer: found.whole }]));
}

/** One line per buffer, with the responses that it is for. */
function serverLines(conclusions: readonly Conclusion[], found: Found): string[] {
  return buffersOf(conclusions).map((buffer) => {
    const own = conclusions.filter((conclusion) => conclusion.buffer === buffer);
    const whom = waysOf(own).map(({ name }) => {
      const sizes = sizesOf(own.filter(({ way }) => way === name));
      return `${name} ${sizes.map(formatBytes).join(', ')}`;
    });
    const given = givenFor(buffer, found);
    const cut = given === buffer ? '' : ` (${formatBytes(buffer)} is cut to it)`;
    const forced = isBelowDefault(buffer, found) ? ', allowSmallBuffers: true' : '';
    return `createServer({ sendBufferSize: ${String(given)}${forced} }) // ${formatBytes(given)}${cut}, for ${whom.join('; ')}`;
  });
}

/** A server accepts such a size only with `allowSmallBuffers`. */
function isBelowDefault(buffer: number, { takes }: Found): boolean {
  const setOf = (choice: BufferChoice): number => takes.find((take) => take.buffer === choice)?.set ?? 0;
  return setOf(buffer) < setOf('default');
}

/** The size to request to get what was measured: if the system has reduced a buffer, no more than it grants. */
function givenFor(buffer: number, { takes }: Found): number {
  const cut = takes.find((take) => take.buffer === buffer && take.clamped);
  // Linux, the only system that reduces it, reads back twice what is set.
  return cut ? cut.set / 2 : buffer;
}

/**
 * nginx 1.26 sets SO_SNDBUF only on its listening socket. Accepted connections inherit it over TCP, and on macOS; on
 * Linux a UNIX connection has the system's default (seen with `ss -xm`).
 */
function nginxListen(buffer: number, { family, platform }: Found): Setting {
  if (family === 'unix' && platform !== 'darwin') {
    const why = '"listen unix:... sndbuf=" sets the listening socket only';
    return setting(
      'nginx',
      `none if nginx itself is the server: on Linux ${why}, and accepted UNIX connections do not inherit it (over TCP they do)`,
    );
  }
  const address = family === 'tcp' ? '127.0.0.1:8080' : 'unix:/tmp/nginx.sock';
  return setting(
    'nginx',
    'if nginx itself is the server: the connections that it accepts from clients inherit the buffer of the listening socket',
    `listen ${address} sndbuf=${String(buffer)};`,
  );
}

const NGINX_AS_FRONT = setting(
  'nginx',
  'none for its connections to an upstream: what matters there is the send buffer of the application. nginx reads a response into proxy_buffer_size and proxy_buffers (or uwsgi_buffers), and with proxy_buffering on writes the rest to a file',
);

function linuxLines(found: Found): Setting[] {
  const { takes, conclusions, limits } = found;
  const line = (bytes: number): string => `sysctl -w net.core.wmem_max=${String(bytes)}`;
  const here = `${String(limits.mostBuffer)} here`;
  const cut = buffersOf(takes.filter(({ clamped }) => clamped)).at(-1);
  if (cut !== undefined) {
    const note = `${nameOf(cut)} was cut to net.core.wmem_max, ${here}: raise it, and sweep again (to keep it, add it to /etc/sysctl.d)`;
    return [setting('sysctl', note, line(cut))];
  }
  const wanted = buffersOf([...conclusions, ...wholeOf(found)]).at(-1);
  if (wanted === undefined) return [];
  const note = `net.core.wmem_max must be ${String(wanted)} or more, ${here}: on a host that has less, ${line(wanted)}`;
  return [setting('sysctl', note)];
}

function darwinLines(largest: number | undefined): Setting[] {
  if (largest === undefined) return [];
  const lines = ['sendspace', 'recvspace'].map((name) => `sysctl -w net.local.stream.${name}=${String(largest)}`);
  const note =
    'only for programs that set no buffer themselves: the default of all UNIX sockets, 8,192 on an unchanged macOS';
  return [setting('sysctl', note, ...lines)];
}

function backlogLine({ limits: { somaxconn }, platform }: Found): Setting[] {
  if (somaxconn === null || somaxconn >= BACKLOG) return [];
  const name = platform === 'darwin' ? 'kern.ipc.somaxconn' : 'net.core.somaxconn';
  const note = `a listen queue of ${String(BACKLOG)}, which servers request, is cut to ${String(somaxconn)}: this does not concern buffers, but connections that are refused in a burst`;
  return [setting('sysctl', note, `sysctl -w ${name}=${String(BACKLOG)}`)];
}
