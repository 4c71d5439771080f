/**
 * The application in JavaScript, whichever server runs it: it responds with the same bytes as those in the other
 * languages.
 */

/** Between two readings of the clock, which is a system call: about 20 us. */
const STEPS_BETWEEN_READINGS = 20_000;
const JSON_BYTES = 1024;

export interface Answer {
  readonly type: string;
  readonly body: string | Buffer;
}

const document = {
  name: 'nearwire',
  items: Array.from({ length: 12 }, (_, id) => ({ id, title: `item ${String(id)}`, done: id % 2 === 0 })),
  padding: '',
};
document.padding = '.'.repeat(JSON_BYTES - JSON.stringify(document).length);

let empty = Buffer.alloc(0);
let sink = 0;

/** undefined: not found. */
export function answerTo(path: string, query: string): Answer | undefined {
  switch (path) {
    case '/hello':
      return { type: 'text/plain', body: 'hello world\n' };
    case '/empty': {
      const bytes = numberOf('bytes', query) ?? 0;
      if (empty.length !== bytes) empty = Buffer.alloc(bytes, 'x');
      return { type: 'text/plain', body: empty };
    }
    case '/json':
      burn(numberOf('ms', query) ?? 1);
      return { type: 'application/json', body: jsonBody() };
    default:
      return undefined;
  }
}

function numberOf(name: 'bytes' | 'ms', query: string): number | undefined {
  const [key, value] = query.split('=');
  return key === name ? Number(value) : undefined;
}

/** Serialized for each request, as an application does. */
export function jsonBody(): string {
  return JSON.stringify(document);
}

/**
 * Uses this many milliseconds of CPU time. The clock is the process's, whose other threads are idle meanwhile: that of
 * the thread (`process.threadCpuUsage`) advances only with the kernel's ticks, every 4 ms.
 */
export function burn(ms: number): void {
  if (!(ms > 0)) return;
  const until = micros() + ms * 1e3;
  while (micros() < until) {
    let sum = sink;
    for (let i = 0; i < STEPS_BETWEEN_READINGS; i++) sum = (sum + i) | 0;
    sink = sum;
  }
}

function micros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
