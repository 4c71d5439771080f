/** What the two processes of the sweep say to each other on the measured connection. */

/** `response`: answer with so many bytes. `held`: the same, and note how long it took to leave. `report`: tell figures. */
export const ASK = { response: 0, held: 1, report: 2 } as const;
export type Ask = (typeof ASK)[keyof typeof ASK];

const WORD = 4;
const REQUEST_BYTES = 2 * WORD;

export function requestFor(ask: Ask, bytes: number): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeUInt32LE(ask, 0);
  request.writeUInt32LE(bytes, WORD);
  return request;
}

/** Takes requests from a stream of bytes, however it is cut. */
export class RequestParser {
  private readonly partial = Buffer.alloc(REQUEST_BYTES);
  private held = 0;
  private readonly onRequest: (ask: number, bytes: number) => void;

  constructor(onRequest: (ask: number, bytes: number) => void) {
    this.onRequest = onRequest;
  }

  readonly read = (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length;) {
      const taken = chunk.copy(this.partial, this.held, at, at + REQUEST_BYTES - this.held);
      at += taken;
      this.held += taken;
      if (this.held < REQUEST_BYTES) return;
      this.held = 0;
      this.onRequest(this.partial.readUInt32LE(0), this.partial.readUInt32LE(WORD));
    }
  };
}

/** Of the server's process and of this connection, since they began. */
export interface Report {
  /** Microseconds of CPU, user and system. */
  readonly cpu: number;
  /** Bytes of responses that were written. */
  readonly sent: number;
  /** SO_SNDBUF in bytes; NaN where nothing can read it. */
  readonly sendBuffer: number;
  /** Microseconds that a `held` response took to leave, the median; NaN before there was any. */
  readonly held: number;
}

const FIGURES = ['cpu', 'sent', 'sendBuffer', 'held'] as const;
const FIGURE_BYTES = 8;
export const REPORT_BYTES = FIGURES.length * FIGURE_BYTES;

export function encodeReport(report: Report): Buffer {
  const bytes = Buffer.alloc(REPORT_BYTES);
  FIGURES.forEach((name, index) => bytes.writeDoubleLE(report[name], index * FIGURE_BYTES));
  return bytes;
}

export function decodeReport(bytes: Buffer): Report {
  const [cpu, sent, sendBuffer, held] = FIGURES.map((_, index) => bytes.readDoubleLE(index * FIGURE_BYTES)) as [
    number,
    number,
    number,
    number,
  ];
  return { cpu, sent, sendBuffer, held };
}
