/** Sends handles of node's own to workers: they go as they are, but the types of `send()` name servers and sockets only. */
import type { SendHandle, Serializable } from 'node:child_process';
import type { Worker } from 'node:cluster';

/** `sent`: called once it has left this process, or can't any more. */
export function sendPlainHandle(worker: Worker, message: Serializable, handle: unknown, sent?: () => void): void {
  worker.process.send(message, handle as SendHandle | undefined, undefined, sent);
}
