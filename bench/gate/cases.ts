/** The requests by which one build of nearwire is held against another, by their instructions or by their time. */

export interface GateCase {
  readonly name: string;
  /** Command words of the plain C client, `floor load`. */
  readonly client: readonly string[];
  /** It sends a packet of uwsgi. */
  readonly uwsgi?: boolean;
  /** Connections where time is taken; absent: it is not. Instructions are counted on one. */
  readonly connections?: number;
  /** Absent: how many messages come at a time is a matter of time, and so are its instructions. */
  readonly counted?: boolean;
}

const GATE_CASES: readonly GateCase[] = [
  { name: 'rtt', client: ['--case', 'rtt'], connections: 1, counted: true },
  { name: 'pipeline', client: ['--case', 'pipeline', '--window', '256'], connections: 1 },
  { name: 'http', client: ['--case', 'cost'], connections: 32, counted: true },
  { name: 'http-close', client: ['--case', 'cost', '--keep-alive', '0'], connections: 32, counted: true },
  { name: 'uwsgi', client: ['--case', 'cost', '--keep-alive', '0'], uwsgi: true, connections: 32, counted: true },
  // Answers of a server of sockets that the client can take for HTTP.
  { name: 'write-64', client: ['--case', 'cost'], counted: true },
  { name: 'write-64k', client: ['--case', 'cost'], counted: true },
];

export const TIMED_CASES = GATE_CASES.filter(({ connections }) => connections !== undefined);
export const COUNTED_CASES = GATE_CASES.filter(({ counted }) => counted);
