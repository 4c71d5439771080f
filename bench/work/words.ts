/** The command words of a worker, the same as those of the C program: `ROLE --case CASE --family F --address A ...`. */

const NUMBERS = {
  bytes: 64,
  window: 1,
  connections: 1,
  /** Received ones, that are kept: one of every so many. */
  chunks: 0,
  every: 1,
  body: 0,
  /** Milliseconds that a handler computes before it answers. */
  compute: 0,
  /** Bytes of a JSON that it parses, and answers with; 0: none. */
  json: 0,
  /** MB of objects that it keeps alive. */
  heap: 0,
  /** SO_SNDBUF of a server's connections; 0: the system's, and what the transport does by itself. */
  sendBufferSize: 0,
  /** Of a head that is parsed. */
  headers: 0,
  /** Of the measured stretch, and of the load before it. */
  seconds: 1,
  warmup: 0,
};

const TEXTS = {
  role: '',
  case: '',
  family: '',
  address: '',
  subject: '',
  /** The URL of the module that is the subject; empty where it is one of ours. */
  module: '',
  way: 'download',
  /** That is served; empty where the case has none. */
  file: '',
  /** Of work inside one process: what is done, and by whom. */
  operation: '',
  subjects: '',
};

export type Words = Readonly<typeof NUMBERS & typeof TEXTS>;

/** Those that are for the other end alone are there too, and nobody looks at them. */
export function parseWords([role = '', ...argv]: readonly string[]): Words {
  const given: Record<string, string> = {};
  for (let at = 0; at < argv.length; at += 2) given[nameOf(argv[at] ?? '')] = argv[at + 1] ?? '';
  const numbers = Object.keys(NUMBERS).filter((name) => name in given);
  return {
    ...{ ...NUMBERS, ...TEXTS, ...given, role },
    ...Object.fromEntries(numbers.map((name) => [name, Number(given[name])])),
  };
}

/** `--keep-alive` as `keepAlive`. */
function nameOf(word: string): string {
  return word.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The argument of `listen()` and `connect()`, node:net's and ours. */
export type Target = { path: string } | { host: string; port: number };

export function targetOf({ family, address }: Words): Target {
  if (family === 'unix') return { path: address };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
