/** Lets a net.Socket continue to read after a write has failed: node's own code destroys the whole socket. */
import type net from 'node:net';

type Done = (error?: Error | null) => void;

/** Calls `tell` for the first write that fails while there may be more to read. Later writes are dropped. */
export function readBehindFailedWrites(socket: net.Socket, tell: (error: NodeJS.ErrnoException) => void): void {
  let failed = false;
  const keptFrom = (done: Done): Done => {
    return (error) => {
      const isWrites = error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'write';
      if (!isWrites || socket.destroyed || socket.readableEnded) {
        done(error);
        return;
      }
      if (!failed) {
        failed = true;
        tell(error);
      }
      done();
    };
  };
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => {
    if (failed) done();
    else write(chunk, encoding, keptFrom(done));
  };
  if (writev === undefined) return;
  socket._writev = (chunks, done) => {
    if (failed) done();
    else writev(chunks, keptFrom(done));
  };
}
