/** Connects channels on the native engine. */
import type { Channel, ChannelHandlers, ConnectTarget } from './types.js';
import { patienceOf } from '../config/options.js';
import { hasQueue, QueuedConnect } from '../engine/connect-queue.js';
import type { Engine } from '../engine/engine.js';
import { connectQueueFullError } from '../errors/index.js';
import { NativeChannel } from './native.js';
import { addressOf, optionsOf } from './native-target.js';

export function connectNative(engine: Engine, target: ConnectTarget, handlers: ChannelHandlers): Channel {
  const { path } = target;
  const patience = patienceOf(target);
  const waits = path !== undefined && patience > 0;
  const id = waits
    ? engine.prepareConnect(addressOf(target), optionsOf(target))
    : engine.connect(addressOf(target), optionsOf(target));
  const channel = new NativeChannel(engine, id, handlers, target);
  // Early failures are reported later: no handler runs inside this call.
  if (id < 0) process.nextTick(tellEarlyFailure, channel, id);
  else if (waits) waitInQueue(channel, path, patience);
  return channel;
}

function waitInQueue(channel: NativeChannel, path: string, patience: number): void {
  // Nearly all connects are done after this line.
  if (!hasQueue(path) && channel.engine.tryConnect(channel.id) === 'settled') return;
  const place = new QueuedConnect(path, patience, {
    tryOnce: () => channel.engine.tryConnect(channel.id),
    giveUp(waited) {
      channel.destroy(connectQueueFullError(path, waited));
    },
  });
  channel.place = place;
  place.wait();
}

function tellEarlyFailure(channel: NativeChannel, errno: number): void {
  channel.tellClosed(channel.connectFailure(errno));
}
