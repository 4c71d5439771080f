/** The object behind `req.socket` of a connection of http, and its connection, as they see each other. */
import type { FileRange } from '../binding/file-range.js';
import type { TransportName } from '../config/options.js';
import type { ConnectionContract, Outgoing, StandIn } from '../exchange/contracts.js';
import type { StreamOutline } from '../exchange/stand-in.js';
import type { FileSinkOwner } from '../net/file-sink.js';
import type { IdleTimer } from '../net/idle-timer.js';
import type { SocketSettings } from '../net/socket-options.js';
import type { WriteCallback } from '../node/stream-state.js';
import type { EndpointNames } from './endpoint-names.js';

/** Its connection, as the stand-in uses it. */
export interface StandInConnection extends ConnectionContract, FileSinkOwner {
  readonly closed: boolean;
  readonly peerEnded: boolean;
  readonly tcp: boolean;
  readonly settings: SocketSettings;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly paused: boolean;
  /** Bytes of this request's body that have not been read from the kernel; 0 if others read it. */
  bodyLeftOf(request: object): number;
  /** Takes what has been read from the kernel while it was paused, and returns whether that was all. */
  takeAhead(): boolean;
  /** Whether the kernel has taken all that has been written. */
  readonly hasSentAll: boolean;
  /** Keeps a write until it is uncorked. */
  hold(data: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback | undefined): boolean;
  sendHeld(): void;
  writeRange(range: FileRange, callback: WriteCallback): boolean;
  destroySoon(): void;
  reset(): void;
  tellError(error: unknown): void;
  /** Makes it a socket. Does nothing if it is closed. */
  becomeSocket(): void;
  readonly names: EndpointNames;
}

/** @internal The fields of a stand-in. Its methods: stand-in.ts. */
export interface HttpSocket extends StandIn {
  readonly _owner: StandInConnection;
  server: object;
  transport: TransportName;
  timeout?: number;
  readonly writableCorked: number;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  /** As in node's server: reading waits until responses have left. */
  _paused: boolean;
  setTimeout(milliseconds: number, callback?: () => void): this;
  _outline?: StreamOutline;
  _timer?: IdleTimer;
  /** The value of `_httpMessage`. */
  _message: Outgoing | null;
}
