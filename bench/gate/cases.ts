/** The requests by which builds of nearwire are compared, by instructions or by time. */

export interface GateCase {
  readonly name: string;
  /** Command-line arguments of the plain C client, `floor load`. */
  readonly client: readonly string[];
  /** It sends a uwsgi packet. */
  readonly uwsgi?: boolean;
  /** Connections for timed runs; absent: not timed. Instructions are counted on one connection. */
  readonly connections?: number;
  /** Absent: the number of messages per turn depends on timing, and so do its instructions. */
  readonly counted?: boolean;
}

const GATE_CASES: readonly GateCase[] = [
  { name: 'rtt', client: ['--case', 'rtt'], connections: 1, counted: true },
  { name: 'pipeline', client: ['--case', 'pipeline', '--window', '256'], connections: 1 },
  { name: 'http', client: ['--case', 'cost'], connections: 32, counted: true },
  { name: 'http-close', client: ['--case', 'cost', '--keep-alive', '0'], connections: 32, counted: true },
  { name: 'uwsgi', client: ['--case', 'cost', '--keep-alive', '0'], uwsgi: true, connections: 32, counted: true },
  // Responses of a socket server that the client accepts as HTTP.
  { name: 'write-64', client: ['--case', 'cost'], counted: true },
  { name: 'write-64k', client: ['--case', 'cost'], counted: true },
];

export const TIMED_CASES = GATE_CASES.filter(({ connections }) => connections !== undefined);
export const COUNTED_CASES = GATE_CASES.filter(({ counted }) => counted);
