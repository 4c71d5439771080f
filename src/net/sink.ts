/** Receives a connection's data in place of the stream: another socket, or a file. */
export interface Sink {
  /** Bytes that it has taken. */
  readonly underWay: number;
  /** Milliseconds since it last moved bytes; Infinity: it has not. */
  readonly idle: number;
  /** Gives the stream all further data. Safe at any time, and repeatedly. */
  stop(): void;
  /** It takes no more: 0, it has taken all that it was to take, or a negative errno of a file. */
  onTaken(status: number): void;
}

/** The source of a connection's outgoing data in place of the stream: another socket. */
export type Feeder = Pick<Sink, 'underWay' | 'idle' | 'stop'>;
