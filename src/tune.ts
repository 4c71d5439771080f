/**
 * `nearwire/tune`: socket options, buffers and queues, of nearwire's sockets, of node's own, and of any UNIX listener on
 * the host.
 */
export type { TuneTarget } from './tune/target.js';
export { listenQueue, type ListenPort, type ListenQueue, type ListenTarget } from './tune/queue.js';
