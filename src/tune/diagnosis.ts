/** The kernel's diagnosis of sockets, with its refusals as errors. Nothing here waits: the kernel answers at once. */
import { constants } from 'node:os';
import { argValueError, errnoError, noAddonError, notOpenError, unsupportedError } from '../errors/index.js';
import { addonStatus, type NativeAddon, type NativeSocketDescription } from '../binding/addon.js';
import { descriptorOf, type TuneTarget } from './target.js';

const { EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSYS, EPROTOTYPE, EBADF } = constants.errno;
/** Shortages unrelated to the query. */
const SHORTAGES: readonly number[] = [EMFILE, ENFILE, ENOBUFS, ENOMEM];

/** The addon; its calls here need no engine and work on either transport. Throws ERR_NEARWIRE_NO_ADDON. */
export function nativeDiagnosis(): NativeAddon {
  const { addon, reason } = addonStatus();
  if (addon === undefined) throw noAddonError(reason);
  return addon;
}

/** Returns the kernel's answer, or throws; `refused` makes the error for a negative errno. */
export function told<T>(answer: T | number, what: string, refused: (errno: number) => Error): T {
  if (typeof answer !== 'number') return answer;
  if (answer === -ENOSYS) throw unsupportedError(what);
  if (SHORTAGES.includes(-answer)) throw errnoError(answer, 'sock_diag');
  throw refused(answer);
}

/**
 * The kernel's description of a target's socket. Throws as `descriptorOf` does, or the error of an invalid descriptor.
 */
export function describeTarget(target: TuneTarget): NativeSocketDescription {
  const fd = descriptorOf(target);
  const found = nativeDiagnosis().describeSocket(fd);
  if (typeof found !== 'number') return found;
  if (found === -EBADF && typeof target !== 'number') throw notOpenError();
  if (found === -EPROTOTYPE) throw argValueError('target', target, 'must be a stream socket of UNIX or TCP');
  throw errnoError(found, 'getsockopt');
}
