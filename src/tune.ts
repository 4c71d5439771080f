/**
 * `nearwire/tune`: socket options, buffers and queues, of nearwire's sockets, of node's own, and of any UNIX listener on
 * the host.
 *
 * @module nearwire/tune
 */
export { advise, type Advice, type AdviseOptions } from './tune/advise.js';
export type { QueueEvidence, SendEvidence, WaitingAnswers } from './tune/evidence.js';
export type { AdvisedSetting, Finding, LimitInTheWay } from './tune/rule.js';
export { connectStats, type ConnectStats } from './engine/connect-queue.js';
export { serverStats, type CountingServer } from './stats/read.js';
export type { ServerStats } from './stats/server-stats.js';
export type { TuneTarget } from './tune/target.js';
export {
  getSocketOptions,
  setSocketOptions,
  type OptionResult,
  type SetSocketOptions,
  type SocketOptionValues,
} from './tune/options.js';

export { listenQueue, type ListenPort, type ListenQueue, type ListenTarget } from './tune/queue.js';
export {
  inspect,
  type SocketCounters,
  type SocketEnd,
  type SocketInspection,
  type SocketPeer,
  type TcpFigures,
  type TcpState,
} from './tune/inspect.js';
