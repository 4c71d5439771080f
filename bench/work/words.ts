/**
 * The command-line arguments of a worker, the same as those of the C program: `ROLE --case CASE --family F --address A
 * ...`.
 */

const NUMBERS = {
  bytes: 64,
  window: 1,
  connections: 1,
  /** Received chunks to keep: one out of `every`. */
  chunks: 0,
  every: 1,
  body: 0,
  /** Milliseconds that a handler computes before it responds. */
  compute: 0,
  /** Bytes of the JSON that it parses and responds with; 0: none. */
  json: 0,
  /** MB of objects that it keeps alive. */
  heap: 0,
  /** SO_SNDBUF of a server's connections; 0: the system's default, and the transport's own adjustments. */
  sendBufferSize: 0,
  /** The number of headers to parse. */
  headers: 0,
  /** Seconds of the measured stretch, and of the load before it. */
  seconds: 1,
  warmup: 0,
};

const TEXTS = {
  role: '',
  case: '',
  family: '',
  address: '',
  subject: '',
  /** The URL of the module that is the subject; empty for a built-in one. */
  module: '',
  way: 'download',
  /** The file to serve; empty if the case has none. */
  file: '',
  /** For work inside one process: the operation, and the subjects. */
  operation: '',
  subjects: '',
};

export type Words = Readonly<typeof NUMBERS & typeof TEXTS>;

/** Arguments for the other end are included and ignored. */
export function parseWords([role = '', ...argv]: readonly string[]): Words {
  const given: Record<string, string> = {};
  for (let at = 0; at < argv.length; at += 2) given[nameOf(argv[at] ?? '')] = argv[at + 1] ?? '';
  const numbers = Object.keys(NUMBERS).filter((name) => name in given);
  return {
    ...{ ...NUMBERS, ...TEXTS, ...given, role },
    ...Object.fromEntries(numbers.map((name) => [name, Number(given[name])])),
  };
}

/** `--keep-alive` becomes `keepAlive`. */
function nameOf(word: string): string {
  return word.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The argument of `listen()` and `connect()`, both node:net's and nearwire's. */
export type Target = { path: string } | { host: string; port: number };

export function targetOf({ family, address }: Words): Target {
  if (family === 'unix') return { path: address };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
