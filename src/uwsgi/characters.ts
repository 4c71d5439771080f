/** Which bytes are allowed in what a handler gets: those that node's own parser allows. */

/** A header's name, and a method (RFC 9110, 5.6.2). */
export const TOKEN = 1;
/** A URL. */
export const TARGET = 2;
/** A header's value (RFC 9110, 5.5): no control characters except the tab. */
export const VALUE = 4;

const TOKEN_CHARACTER = /[\w!#$%&'*+.^`|~-]/;

function classify(code: number): number {
  const isToken = code < 0x80 && TOKEN_CHARACTER.test(String.fromCharCode(code));
  const isTarget = code > 0x20 && code < 0x7f;
  const isValue = code === 9 || (code >= 0x20 && code !== 0x7f);
  return (isToken ? TOKEN : 0) | (isTarget ? TARGET : 0) | (isValue ? VALUE : 0);
}

const CLASSES = Uint8Array.from({ length: 256 }, (_, code) => classify(code));

export function areAll(characters: number, data: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    if (((CLASSES[data[i] as number] as number) & characters) === 0) return false;
  }
  return true;
}

export function isUrl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (((CLASSES[text.charCodeAt(i)] as number) & TARGET) === 0) return false;
  }
  return true;
}
