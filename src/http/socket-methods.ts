/**
 * Whether a program has replaced methods of `net.Socket.prototype`, to see or change what any socket does. A stand-in has
 * methods of its own: with a replaced one, connections are served as sockets.
 */
import * as net from 'node:net';

/** Those that a stand-in has. Written out in `areReplaced`, which runs with each connection, too: one load each. */
type Methods = Pick<
  net.Socket,
  | 'write'
  | 'end'
  | 'destroy'
  | 'destroySoon'
  | 'resetAndDestroy'
  | 'setTimeout'
  | 'setNoDelay'
  | 'setKeepAlive'
  | 'ref'
  | 'unref'
  | 'address'
  | 'pause'
  | 'resume'
  | 'cork'
  | 'uncork'
>;

const prototype = net.Socket.prototype as Methods;

function currentMethods(): Methods {
  const { write, end, destroy, destroySoon, resetAndDestroy, pause, resume, cork, uncork } = prototype;
  const { setTimeout, setNoDelay, setKeepAlive, ref, unref, address } = prototype;
  return {
    ...{ write, end, destroy, destroySoon, resetAndDestroy, pause, resume, cork, uncork },
    ...{ setTimeout, setNoDelay, setKeepAlive, ref, unref, address },
  };
}

let noted = currentMethods();

/** The methods are as they are to be from now on: `register` has put its own there. */
export function noteSocketMethods(): void {
  noted = currentMethods();
}

export function areReplaced(): boolean {
  return !(
    prototype.write === noted.write &&
    prototype.end === noted.end &&
    prototype.destroy === noted.destroy &&
    prototype.destroySoon === noted.destroySoon &&
    prototype.resetAndDestroy === noted.resetAndDestroy &&
    prototype.setTimeout === noted.setTimeout &&
    prototype.setNoDelay === noted.setNoDelay &&
    prototype.setKeepAlive === noted.setKeepAlive &&
    prototype.ref === noted.ref &&
    prototype.unref === noted.unref &&
    prototype.address === noted.address &&
    prototype.pause === noted.pause &&
    prototype.resume === noted.resume &&
    prototype.cork === noted.cork &&
    prototype.uncork === noted.uncork
  );
}
