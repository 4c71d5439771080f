/** What can be sampled of a connection, whatever its class. */
import * as net from 'node:net';
import type { Channel } from '../channel/types.js';
import { descriptorUnder } from '../engine/descriptor.js';

export interface Sampled {
  readonly fd: number;
  readonly closed: boolean;
  readonly bytesRead: number;
  /** Includes bytes still buffered in the process. */
  readonly bytesWritten: number;
  /** Bytes that the process holds because the kernel has no room for more. */
  readonly pending: number;
}

class SampledSocket implements Sampled {
  constructor(private readonly socket: net.Socket) {}

  get fd(): number {
    return descriptorUnder(this.socket);
  }

  get closed(): boolean {
    return this.socket.destroyed;
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.socket.bytesWritten;
  }

  get pending(): number {
    return this.socket.writableLength;
  }
}

class SampledChannel implements Sampled {
  constructor(private readonly channel: Channel) {}

  get fd(): number {
    return descriptorUnder(this.channel);
  }

  get closed(): boolean {
    return this.fd < 0;
  }

  get bytesRead(): number {
    return this.channel.counters.bytesRead;
  }

  get bytesWritten(): number {
    return this.channel.counters.bytesWritten + (this.channel.transport === 'native' ? this.pending : 0);
  }

  get pending(): number {
    return this.channel.bufferedAmount;
  }
}

export function sampled(connection: net.Socket | Channel): Sampled {
  return connection instanceof net.Socket ? new SampledSocket(connection) : new SampledChannel(connection);
}
