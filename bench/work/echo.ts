/** Echoes each message with a write of its own, like a program that processes single messages. The data may be lent. */
export function messageEcho(
  bytes: number,
  send: (data: Buffer, start: number, stop: number) => void,
): (data: Buffer, start: number, stop: number) => void {
  const partial = Buffer.allocUnsafe(bytes);
  let held = 0;
  return (data, start, stop) => {
    let at = start;
    if (held > 0) {
      at = Math.min(start + bytes - held, stop);
      held += data.copy(partial, held, start, at);
      if (held < bytes) return;
      // A copy: the write may have to wait, and the buffer is reused.
      send(Buffer.from(partial), 0, bytes);
      held = 0;
    }
    for (; at + bytes <= stop; at += bytes) send(data, at, at + bytes);
    if (at < stop) held = data.copy(partial, 0, at, stop);
  };
}
