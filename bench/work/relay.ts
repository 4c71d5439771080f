/** The relay: what comes on one connection goes out on the other, both ways. */
import type * as net from 'node:net';

export type Relay = (a: net.Socket, b: net.Socket) => void;

/** As it is written without us. */
export const pipeBoth: Relay = (a, b) => {
  a.pipe(b);
  b.pipe(a);
};

/** Connections go in pairs, in the order in which they come. */
export function relayPairs(relay: Relay): (socket: net.Socket) => void {
  let single: net.Socket | undefined;
  return (socket) => {
    // A client that resets has had enough.
    socket.on('error', () => undefined);
    if (!single) {
      single = socket;
      return;
    }
    relay(single, socket);
    single = undefined;
  };
}
