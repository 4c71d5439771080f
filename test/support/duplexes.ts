/** Streams that no kernel is below: what is written to one end is read at the other. */
import { Duplex } from 'node:stream';

class End extends Duplex {
  other: End | undefined;
  private taken: (() => void) | undefined;

  override _read(): void {
    const { taken } = this;
    this.taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const { other } = this;
    if (other === undefined || other.destroyed) callback();
    else if (other.push(chunk)) process.nextTick(callback);
    else other.taken = callback;
  }

  /** As of a TLS session or of a channel of SSH: the other end is told of an end, but not of a destruction. */
  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }
}

/** Not in node 20. */
export function duplexPair(): [Duplex, Duplex] {
  const [one, other] = [new End(), new End()];
  one.other = other;
  other.other = one;
  return [one, other];
}
