/** The workers on nearwire/channel: handlers shared by all connections, lent views, no object per message. */
import { Channel, ChannelServer, type ChannelServerHandlers } from 'nearwire/channel';

import { Control } from './control.js';
import { messageEcho } from './echo.js';
import type { Connect } from './loads.js';
import { tellAddress } from './stream.js';
import type { Target, Words } from './words.js';

export function serveChannel(words: Words, target: Target): void {
  // Without the native engine this subject would be node:net, so it fails instead.
  const server = ChannelServer.listen(
    { ...target, transport: 'native' },
    {
      ...handlersOf(words),
      onError: ignore,
      onListening(listening) {
        tellAddress(listening.address());
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
    case 'pipeline': {
      const echoes = new WeakMap<Channel, ReturnType<typeof messageEcho>>();
      return {
        onConnection(channel) {
          const echo = messageEcho(words.bytes, (data, start, stop) => channel.write(data, start, stop));
          echoes.set(channel, echo);
        },
        onData(channel, data, start, stop) {
          echoes.get(channel)?.(data, start, stop);
        },
      };
    }
    case 'bulk':
      return { onData: ignore };
    default:
      return {
        onData(channel, data, start, stop) {
          channel.write(data, start, stop);
        },
      };
  }
}

/** A sink ignores data, and clients may end a server's connections as they like, including by a reset. */
function ignore(): void {
  // The engine has read the bytes, and closes after an error.
}

export function connectChannel(target: Target): Connect {
  return (events) => Channel.connect({ ...target, transport: 'native' }, events);
}
