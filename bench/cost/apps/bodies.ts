/** The bodies that the JavaScript applications answer with: the same bytes as those of the other languages. */

export const HELLO = 'hello world\n';

let empty = Buffer.alloc(0);

/** What an application answers that does nothing else: so many bytes, the same ones each time. */
export function emptyBody(bytes: number): Buffer {
  if (empty.length !== bytes) empty = Buffer.alloc(bytes, 'x');
  return empty;
}

/** `bytes` of a query, 0 if it names none. */
export function bytesOf(query: string): number {
  return Number(/(?:^|&)bytes=(\d+)/.exec(query)?.[1] ?? 0);
}

const JSON_BYTES = 1024;
const document = {
  name: 'nearwire',
  items: Array.from({ length: 12 }, (_, id) => ({ id, title: `item ${String(id)}`, done: id % 2 === 0 })),
  padding: '',
};
document.padding = '.'.repeat(JSON_BYTES - JSON.stringify(document).length);

/** Made anew for each request, as an application does. */
export function jsonBody(): string {
  return JSON.stringify(document);
}

/** `ms` of a query, 1 if it names none. */
export function millisOf(query: string): number {
  const value = /(?:^|&)ms=([\d.]+)/.exec(query)?.[1];
  return value === undefined ? 1 : Number(value);
}
