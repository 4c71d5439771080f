/** Finds the listener that a connect to a path or an abstract name would reach. */
import { constants } from 'node:os';
import {
  ambiguousListenerError,
  argValueError,
  diagnosisRefusedError,
  noListenerError,
  notSocketFileError,
  otherNamespaceError,
  staleSocketError,
} from '../errors/index.js';
import type { NativeUnixSocket } from '../binding/addon.js';
import { nativeDiagnosis, told } from './diagnosis.js';
import { listedUnixSockets, type ListedSocket } from './proc-net-unix.js';
import { socketFileId, socketsAt, socketsNamed, type SocketFileId } from './socket-name.js';

const { EACCES, ECONNREFUSED, EPROTOTYPE, EPERM } = constants.errno;

const WHAT = 'reading the queues of other sockets';

/** Shows an abstract name as `ss` and other tools do. */
function shownName(name: string): string {
  return name.startsWith('\0') ? `@${name.slice(1).replace(/\0+$/, '').replaceAll('\0', '@')}` : name;
}

/** Throws ERR_INVALID_ARG_VALUE for what is neither a path nor an abstract name. */
function checkSocketName(name: string, argument: string): void {
  if (name === '' || name === '\0') throw argValueError(argument, name, 'must name a socket');
  if (name.includes('\0', name.startsWith('\0') ? 1 : 0) && !name.startsWith('\0')) {
    throw argValueError(argument, name, 'must be a path without null bytes');
  }
}

/** All UNIX sockets that the kernel reports. Throws ERR_NEARWIRE_DIAG_REFUSED if it refuses. */
export function unixSockets(listenersOnly: boolean, detail: () => string = () => ''): NativeUnixSocket[] {
  const answer = nativeDiagnosis().unixSockets(listenersOnly);
  return told(answer, WHAT, (errno) => diagnosisRefusedError(errno, detail()));
}

/**
 * The socket that listens on a path or, with a leading NUL, on an abstract name. Throws as documented for
 * `listenQueue`.
 */
export function findUnixListener(name: string): NativeUnixSocket {
  checkSocketName(name, 'target');
  return name.startsWith('\0') ? findAbstract(name) : findByPath(name);
}

function listeners(name: string, isHere: (sockets: readonly ListedSocket[]) => boolean): NativeUnixSocket[] {
  return told(nativeDiagnosis().unixSockets(true), WHAT, (errno) => {
    const listed = listedUnixSockets()?.filter(({ listening }) => listening);
    const listening = listed === undefined ? undefined : isHere(listed);
    const detail = listening === true ? `; a process listens on ${shownName(name)}` : '';
    return diagnosisRefusedError(errno, detail, listening);
  });
}

/** libuv before 1.47 pads an abstract name with NULs to the length of the address (Node 20). */
function unpadded(name: string | undefined): string | undefined {
  return name?.replace(/\0+$/, '');
}

function findAbstract(name: string): NativeUnixSocket {
  const same = (socket: { name?: string | undefined }): boolean => socket.name === name;
  const padded = (socket: { name?: string | undefined }): boolean => unpadded(socket.name) === name;
  const all = listeners(name, (listed) => listed.some(padded));
  const found = all.find(same) ?? all.find(padded);
  if (found !== undefined) return found;
  throw noListenerError(
    `No process listens on ${shownName(name)} in this network namespace, to which abstract names are confined`,
  );
}

function findByPath(path: string): NativeUnixSocket {
  const id = fileAt(path);
  if ('error' in id) return findUnseen(path, id.error);
  if (!id.isSocket) throw notSocketFileError(path);
  const all = listeners(path, (listed) => socketsNamed(path, listed).length > 0);
  const [found, another] = newestFirst(socketsAt(path, id, all));
  if (another?.file !== undefined) {
    throw ambiguousListenerError(`More than one listener may belong to ${path}`);
  }
  if (found !== undefined) return found;
  throw absent(path, id);
}

/** The file's identity from stat, or stat's error. */
function fileAt(path: string): SocketFileId | { error: NodeJS.ErrnoException } {
  try {
    return socketFileId(path);
  } catch (error) {
    return { error: error as NodeJS.ErrnoException };
  }
}

/** If several were bound to one name in turn, the file belongs to the last. Only on macOS can there be a choice. */
function newestFirst(sockets: readonly NativeUnixSocket[]): NativeUnixSocket[] {
  return [...sockets].sort((a, b) => (BigInt(b.cookie) > BigInt(a.cookie) ? 1 : -1));
}

/**
 * The file is not accessible, but the kernel's own list may have the name: of a listener in a directory without search
 * permission, or of one whose file is gone.
 */
function findUnseen(path: string, error: NodeJS.ErrnoException): NativeUnixSocket {
  const all = nativeDiagnosis().unixSockets(true);
  const [found, another] = typeof all === 'number' ? [] : socketsNamed(path, all);
  if (found === undefined || (error.code !== 'EACCES' && error.code !== 'ENOENT')) throw error;
  if (error.code === 'ENOENT') {
    error.message += '; a listener that was bound there still exists, but cannot be reached without the file';
    throw error;
  }
  if (another === undefined) return found;
  throw ambiguousListenerError(`More than one listener was bound as ${path}, and the file cannot be examined`);
}

/** The reason why no listener was found. */
function absent(path: string, id: SocketFileId): Error {
  const bound = socketsAt(path, id, unixSockets(false));
  if (bound.length > 0) {
    return noListenerError(`No process listens on ${path}: a socket is bound to it, but does not accept connections`);
  }
  const outcome = nativeDiagnosis().probePath(path);
  if (outcome === -ECONNREFUSED) return staleSocketError(path);
  if (outcome === 0 || outcome === -EPROTOTYPE) {
    if (id.ownDeviceNumbers) {
      return ambiguousListenerError(
        `Cannot tell which socket has ${path}: one of another network namespace, or one that was bound by another name` +
          ', as this file system has device numbers of its own',
      );
    }
    return otherNamespaceError(
      `${path} belongs to a socket of another network namespace, which the kernel does not report here`,
    );
  }
  const why =
    outcome === -EACCES || outcome === -EPERM ? 'the system denies finding out about others' : 'nothing more is known';
  return noListenerError(`No socket of this network namespace listens on ${path}; ${why}`);
}
