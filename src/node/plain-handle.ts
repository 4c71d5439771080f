/**
 * Sends node's own handles to workers. They are sent unchanged, but the types of `send()` allow only servers and
 * sockets.
 */
import type { SendHandle, Serializable } from 'node:child_process';
import type { Worker } from 'node:cluster';

/** `sent` is called once the handle has left this process, or can no longer leave it. */
export function sendPlainHandle(worker: Worker, message: Serializable, handle: unknown, sent?: () => void): void {
  worker.process.send(message, handle as SendHandle | undefined, undefined, sent);
}
