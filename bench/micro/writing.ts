/**
 * `write()` of a small message, with its share of the following tick, up to the system call: a net.Socket over a handle
 * that takes everything at once, and a native socket and a channel over an engine that does.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

import {
  acceptedOptions,
  connectionOptions,
  connectNative,
  NativeSocket,
  runTicks,
  SocketConnection,
  socketScope,
  socketSettings,
} from 'nearwire/internal';
import { counted, type Operation, type Rivals } from './operation.js';
import { createSilentEngine } from './silent-engine.js';

/** As many as `pipeline` has outstanding, so that a turn handles the same number. */
const MESSAGES = 256;

/** Accepts all data, as a pipe's handle does while the kernel has room. */
class NullHandle {
  bytes = 0;

  readStart(): number {
    return 0;
  }

  writeBuffer(_request: unknown, data: Uint8Array): number {
    this.bytes += data.length;
    return 0;
  }
}

/** All bytes must arrive where the system call would be made. */
function writing(message: Uint8Array, write: (message: Uint8Array) => void, taken: () => number): Operation {
  const once = (): void => {
    write(message);
  };
  return counted(MESSAGES, once, taken, message.length, runTicks);
}

function byNode(message: Uint8Array): Operation {
  const handle = new NullHandle();
  // Node's own code passes it like this.
  const options: SocketConstructorOpts & { handle: NullHandle } = { handle };
  const socket = new Socket(options);
  return writing(
    message,
    (data) => socket.write(data),
    () => handle.bytes,
  );
}

function bySocket(message: Uint8Array): Operation {
  const { engine, taken } = createSilentEngine();
  const settings = socketSettings(engine, undefined);
  const socket = new NativeSocket(settings, acceptedOptions(false, undefined));
  const id = engine.connect({ path: '/nowhere' }, connectionOptions(settings, false));
  socket._connection = new SocketConnection(engine, id, socket, socketScope(), false, true);
  return writing(message, (data) => socket.write(data), taken);
}

function byChannel(message: Uint8Array): Operation {
  const { engine, taken } = createSilentEngine();
  const channel = connectNative(engine, { host: '127.0.0.1', port: 1 }, {});
  return writing(message, (data) => channel.write(data), taken);
}

export function writingOf(bytes: number): Rivals {
  const message = Buffer.alloc(bytes, 'x');
  return {
    'node:net': () => byNode(message),
    native: () => bySocket(message),
    channel: () => byChannel(message),
  };
}
