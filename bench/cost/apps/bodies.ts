/** The bodies that the JavaScript applications answer with: the same bytes as those of the other languages. */

export const HELLO = 'hello world\n';

export const DOWNLOAD = Buffer.from('nearwire, 16 B.\n'.repeat(65_536));

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
