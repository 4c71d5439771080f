/**
 * A subject of one's own for the benchmark: `nearwire bench --subject corked=./examples/bench-subject.mjs --cases pipeline`.
 *
 * It is node:net whose sockets are corked from the first write of a tick to its end, so that what is written in one tick
 * leaves in one system call, as nearwire's does by itself.
 */
import * as net from 'node:net';

/** Has a socket gather what is written in a tick. */
function gathering(socket) {
  const { write } = socket;
  let corked = false;
  const uncork = () => {
    corked = false;
    socket.uncork();
  };
  socket.write = (...words) => {
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(uncork);
    }
    return write.apply(socket, words);
  };
  return socket;
}

export const createServer = (options, listener) => net.createServer(options, (socket) => listener(gathering(socket)));

export const connect = (target, listener) => gathering(net.connect(target, listener));
