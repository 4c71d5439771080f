/** Where what a connection receives goes while it does not go to the stream: to another socket, or to a file. */
export interface Sink {
  /** Bytes that it has taken. */
  readonly underWay: number;
  /** Milliseconds since it last moved something; Infinity: it has not. */
  readonly idle: number;
  /** The stream has what comes from here on. Safe at any time, and twice. */
  stop(): void;
  /** It takes no more: 0, it has had all that it was to have, or a negative errno of a file. */
  onTaken(status: number): void;
}

/** Where what a connection sends comes from while it does not come from the stream: another socket. */
export type Feeder = Pick<Sink, 'underWay' | 'idle' | 'stop'>;
