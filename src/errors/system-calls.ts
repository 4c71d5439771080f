/** Failed system calls, in the shapes of `node:net` and `node:fs`. */
import { constants } from 'node:os';
import { getSystemErrorMap, getSystemErrorName } from 'node:util';
import { coded } from './coded.js';

/** An Error with the fields that node adds to failed system calls. */
export interface SystemCallError extends NodeJS.ErrnoException {
  address?: string;
  port?: number;
  localAddress?: string;
  localPort?: number;
}

/** A failed system call: `read ECONNRESET`. `errno` is negative. */
export function errnoError(errno: number, syscall: string): SystemCallError {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${syscall} ${code}`), { errno, code, syscall });
}

const ENODATA = -constants.errno.ENODATA;

/** A failed write. The engine reports ENODATA for a file that turned out shorter than the range to be sent. */
export function writeError(errno: number): Error & { code: string } {
  return errno === ENODATA ? fileTruncatedError() : (errnoError(errno, 'write') as SystemCallError & { code: string });
}

/** The file shrank while it was being sent. Only closing the connection is left: the peer lacks the rest. */
export function fileTruncatedError(): Error & { code: string } {
  const message = 'The file ended before the end of the range to be sent';
  return coded(new Error(message), 'ERR_NEARWIRE_FILE_TRUNCATED');
}

/** A failure on a file, as `node:fs` words it: `ENOENT: no such file or directory, open '/x'`. */
export function fileError(
  errno: number,
  syscall: string,
  file: string | number,
  words?: string,
): NodeJS.ErrnoException {
  const [code, reason] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  const path = typeof file === 'string' ? { path: file } : {};
  const where = typeof file === 'string' ? ` '${file}'` : '';
  return Object.assign(new Error(`${code}: ${words ?? reason}, ${syscall}${where}`), { errno, code, syscall, ...path });
}

/** The two ends that a failed connect or bind names. A path is the `address`, without a port. */
export interface FailedEnds {
  address: string | undefined;
  port?: number | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
}

function where(address: string | undefined, port: number | undefined): string {
  if (port !== undefined && port > 0) return ` ${address ?? ''}:${String(port)}`;
  return address === undefined ? '' : ` ${address}`;
}

/** A failed connect or bind: `connect ENOENT /run/app.sock`, `connect ECONNREFUSED 127.0.0.1:80`. */
export function connectError(errno: number, syscall: string, ends: FailedEnds): SystemCallError {
  const { address, port, localAddress, localPort } = ends;
  const code = getSystemErrorName(errno);
  const local = localAddress !== undefined && localPort ? `${localAddress}:${String(localPort)}` : undefined;
  const suffix = local === undefined ? '' : ` - Local (${local})`;
  const error: SystemCallError = new Error(`${syscall} ${code}${where(address, port)}${suffix}`);
  Object.assign(error, { errno, code, syscall, address });
  if (port) error.port = port;
  if (local !== undefined) Object.assign(error, { localAddress, localPort });
  return error;
}

/** The accept queue of a UNIX listener stayed full for the whole `backlogTimeout`. `cause` is the system's EAGAIN. */
export function connectQueueFullError(path: string, waited: number): Error & ConnectQueueFull {
  const shown = path.startsWith('\0') ? `@${path.slice(1)}` : path;
  const milliseconds = Math.round(waited);
  const message = `connect to ${shown}: the listener's queue was full for ${String(milliseconds)} ms`;
  const cause = connectError(-constants.errno.EAGAIN, 'connect', { address: path });
  const error = coded(new Error(message, { cause }), 'ERR_NEARWIRE_BACKLOG_TIMEOUT');
  return Object.assign(error, { syscall: 'connect', address: path, waited: milliseconds });
}

/** The fields of ERR_NEARWIRE_BACKLOG_TIMEOUT in addition to `cause`. */
export interface ConnectQueueFull {
  code: string;
  syscall: string;
  /** The path, as in node's connect errors. */
  address: string;
  /** Milliseconds. */
  waited: number;
}

/** A failed listen, with the reason: `listen EADDRINUSE: address already in use /run/app.sock`. */
export function listenError(errno: number, address: string | undefined, port: number): SystemCallError {
  const [code, reason] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  const error: SystemCallError = new Error(`listen ${code}: ${reason}${where(address, port)}`);
  Object.assign(error, { code, errno, syscall: 'listen', address });
  // node sets -1 for a path.
  if (port) error.port = port;
  return error;
}

/** The kernel refused a socket option: `setsockopt EPERM: operation not permitted, mark`. */
export function optionRefusedError(errno: number, option: string, applied: object): SystemCallError {
  const [code, reason] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
  const error = new Error(`setsockopt ${code}: ${reason}, ${option}`);
  return Object.assign(error, { errno, code, syscall: 'setsockopt', option, applied });
}
