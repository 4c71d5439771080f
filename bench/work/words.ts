/** The command words of a worker, the same as those of the C program: `ROLE --case CASE --family F --address A ...`. */
import { parseArgs } from 'node:util';

export interface Words {
  readonly role: 'serve' | 'load';
  readonly case: string;
  readonly family: 'unix' | 'tcp';
  readonly address: string;
  readonly subject: string;
  /** The URL of the module that is the subject; empty where it is one of ours. */
  readonly module: string;
  readonly bytes: number;
  readonly window: number;
  readonly connections: number;
  /** Received ones, that are kept: one of every so many. */
  readonly chunks: number;
  readonly every: number;
  readonly body: number;
  /** Milliseconds that a handler computes before it answers. */
  readonly compute: number;
  /** Bytes of a JSON that it parses, and answers with; 0: none. */
  readonly json: number;
  /** MB of objects that it keeps alive. */
  readonly heap: number;
  readonly way: 'download' | 'upload';
  /** SO_SNDBUF of a server's connections; 0: the system's, and what the transport does by itself. */
  readonly sendBuffer: number;
  /** That is served; empty where the case has none. */
  readonly file: string;
  /** Seconds of the measured stretch, and of the load before it. */
  readonly seconds: number;
  readonly warmup: number;
}

const text = { type: 'string' } as const;

export function parseWords(argv: readonly string[]): Words {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      case: text,
      family: text,
      address: text,
      subject: text,
      module: text,
      bytes: text,
      window: text,
      connections: text,
      idle: text,
      chunks: text,
      every: text,
      body: text,
      'keep-alive': text,
      compute: text,
      json: text,
      heap: text,
      arrival: text,
      way: text,
      'send-buffer': text,
      file: text,
      seconds: text,
      warmup: text,
    },
  });
  return {
    role: oneOf('role', positionals[0], ['serve', 'load']),
    case: required('--case', values.case),
    family: oneOf('--family', values.family, ['unix', 'tcp']),
    address: required('--address', values.address),
    subject: required('--subject', values.subject),
    module: values.module ?? '',
    bytes: number('--bytes', values.bytes ?? '64'),
    window: number('--window', values.window ?? '1'),
    connections: number('--connections', values.connections ?? '1'),
    chunks: number('--chunks', values.chunks ?? '0'),
    every: number('--every', values.every ?? '1'),
    body: number('--body', values.body ?? '0'),
    compute: number('--compute', values.compute ?? '0'),
    json: number('--json', values.json ?? '0'),
    heap: number('--heap', values.heap ?? '0'),
    way: oneOf('--way', values.way ?? 'download', ['download', 'upload']),
    sendBuffer: number('--send-buffer', values['send-buffer'] ?? '0'),
    file: values.file ?? '',
    seconds: number('--seconds', values.seconds ?? '1'),
    warmup: number('--warmup', values.warmup ?? '0'),
  };
}

/** The argument of `listen()` and `connect()`, node:net's and ours. */
export type Target = { path: string } | { host: string; port: number };

export function targetOf({ family, address }: Words): Target {
  if (family === 'unix') return { path: address };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: number('port of --address', address.slice(colon + 1)) };
}

/** Of the subjects that are nearwire. */
export function transportOf(subject: string): 'native' | 'js' {
  if (subject !== 'native' && subject !== 'js') throw new TypeError(`no subject ${subject}`);
  return subject;
}

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new TypeError(`${name} is missing`);
  return value;
}

function oneOf<const T extends string>(name: string, value: string | undefined, known: readonly T[]): T {
  const found = known.find((entry) => entry === value);
  if (found === undefined) throw new TypeError(`${name} is one of ${known.join(', ')}, not ${value ?? 'nothing'}`);
  return found;
}

function number(name: string, value: string): number {
  const result = Number(value);
  if (value === '' || !Number.isFinite(result) || result < 0) throw new RangeError(`${name} is no number: ${value}`);
  return result;
}
