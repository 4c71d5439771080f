/**
 * The low-level API: handlers instead of streams. Received bytes are lent to a handler for one call, and no object is
 * allocated per message.
 *
 * ```ts
 * interface Usage {
 *   received: number;
 * }
 * ChannelServer.listen<Usage>(
 *   { path: '/run/echo.sock' },
 *   {
 *     onConnection(channel) {
 *       channel.data = { received: 0 };
 *     },
 *     onData(channel, data, start, end) {
 *       channel.data.received += end - start;
 *       channel.write(data, start, end);
 *     },
 *   },
 * );
 * ```
 *
 * Writes of one event-loop iteration are combined, and sent when its handlers and their microtasks have run, or at
 * `flush()`. `cork()` combines writes of several iterations.
 *
 * @module nearwire/channel
 */
export { Channel, ChannelServer } from './channel/channel.js';
export type { FileSender, FileSource, FileTarget, SendFileOptions } from './files/options.js';
export { configure, type Settings } from './engine/configure.js';
export type { ServerStats } from './stats/server-stats.js';
export type {
  ChannelCounters,
  ChannelHandlers,
  ChannelOptions,
  ChannelServerHandlers,
  ChannelTarget,
  ConnectTarget,
  ListenTarget,
  ServerAddress,
  TcpAddress,
} from './channel/types.js';
