/** The workers on nearwire/channel: handlers shared by all connections, lent views, no object per message. */
import { Channel, ChannelServer, type ChannelServerHandlers } from 'nearwire/channel';

import { Control, runLoad, tell } from './control.js';
import { ClosedLoop } from './loop.js';
import { pattern, verify } from './pattern.js';
import { BulkSender } from './sender.js';
import { Storm } from './storm.js';
import type { Target, Words } from './words.js';

export function serveChannel(words: Words, target: Target): void {
  // Without the native engine this subject is node:net: better to fail.
  const server = ChannelServer.listen(
    { ...target, transport: 'native' },
    {
      ...handlersOf(words),
      onError: ignore,
      onListening(server) {
        const address = server.address();
        tell({
          ready: true,
          address:
            address !== null && typeof address === 'object' ? `${address.address}:${String(address.port)}` : address,
        });
      },
      onServerError(_server, error) {
        throw error;
      },
    },
  );
  new Control(() => {
    server.close();
  });
}

function handlersOf(words: Words): ChannelServerHandlers {
  switch (words.case) {
    case 'pipeline':
      return messageEcho(words.bytes);
    case 'bulk':
      return { onData: ignore };
    default:
      return { onData: echo };
  }
}

function echo(channel: Channel, data: Buffer, start: number, stop: number): void {
  channel.write(data, start, stop);
}

/** A sink wants no data, and a server's connections end as their clients please, by a reset too. */
function ignore(): void {
  // The engine has read the bytes, and closes after an error.
}

/** The message that a read cut short. */
interface Partial {
  readonly bytes: Buffer;
  held: number;
}

/** Answers each message with a write of its own, as a program would that looks at them. */
function messageEcho(bytes: number): ChannelServerHandlers {
  const partials = new WeakMap<Channel, Partial>();
  return {
    onConnection(channel) {
      partials.set(channel, { bytes: Buffer.allocUnsafe(bytes), held: 0 });
    },
    onData(channel, data, start, stop) {
      const partial = partials.get(channel);
      if (!partial) throw new Error('data on a connection that was not announced');
      let at = start;
      if (partial.held > 0) {
        at = Math.min(start + bytes - partial.held, stop);
        partial.held += data.copy(partial.bytes, partial.held, start, at);
        if (partial.held < bytes) return;
        channel.write(Buffer.from(partial.bytes));
        partial.held = 0;
      }
      for (; at + bytes <= stop; at += bytes) channel.write(data, at, at + bytes);
      if (at < stop) partial.held = data.copy(partial.bytes, 0, at, stop);
    },
  };
}

export function loadChannel(words: Words, target: Target): void {
  if (words.case === 'storm') void loadStorm(words, target);
  else loadOne(words, target);
}

async function loadStorm(words: Words, target: Target): Promise<void> {
  const message = pattern(words.bytes);
  const channels: Channel[] = [];
  const storm = new Storm(words.connections, ({ answered, failed }) => {
    let received = 0;
    const channel = Channel.connect(
      { ...target, transport: 'native' },
      {
        onConnect(connected) {
          connected.write(message);
        },
        onData(_channel, _data, start, stop) {
          received += stop - start;
          if (received >= message.length) answered();
        },
        onError: failed,
        onClose: failed,
      },
    );
    channels.push(channel);
  });
  const control = new Control(() => {
    for (const channel of channels) channel.destroy();
  });
  await runLoad(control, storm, 0, 0);
}

function loadOne(words: Words, target: Target): void {
  const message = pattern(words.bytes);
  let ended = false;
  /** What is done with bytes that come: compared at first, counted later. */
  let take: (data: Buffer, start: number, stop: number) => void = ignore;
  let drained: () => void = ignore;
  const channel = Channel.connect(
    { ...target, transport: 'native' },
    {
      onConnect() {
        void work();
      },
      onData(_channel, data, start, stop) {
        take(data, start, stop);
      },
      onDrain() {
        drained();
      },
      onError(_channel, error) {
        throw error;
      },
      onClose() {
        if (!ended) throw new Error('the server closed the connection');
      },
    },
  );
  const control = new Control(() => {
    ended = true;
    channel.destroy();
  });

  async function work(): Promise<void> {
    if (words.case === 'bulk') {
      const sender = new BulkSender(words.bytes, () => channel.write(message));
      drained = sender.drained;
      await runLoad(control, sender, words.warmup, words.seconds);
      return;
    }
    await exchangeOnce();
    const loop = new ClosedLoop(words.bytes, words.case === 'pipeline' ? words.window : 1, (messages) => {
      for (let left = messages; left > 0; left--) channel.write(message);
    });
    take = (_data, start, stop) => {
      loop.came(stop - start);
    };
    await runLoad(control, loop, words.warmup, words.seconds);
  }

  /** One message there and back, byte for byte the same: the measured ones are counted only. */
  function exchangeOnce(): Promise<void> {
    return new Promise((resolve) => {
      let received = 0;
      take = (data, start, stop) => {
        verify(message, received, data, start, stop);
        received += stop - start;
        if (received === message.length) resolve();
      };
      channel.write(message);
    });
  }
}
