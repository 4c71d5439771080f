/**
 * The low-level API: callbacks instead of streams, what is read is lent instead of given, and no allocation per message.
 *
 * ```ts
 * const handlers = { onData: (channel, data, start, end) => channel.write(data, start, end) };
 * ChannelServer.listen({ path: '/run/echo.sock' }, handlers);
 * ```
 *
 * Writes are gathered and handed to the kernel when the handlers of this loop turn and their microtasks are through, or
 * at `flush()`.
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
