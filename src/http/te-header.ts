/** What an HTTP/1.0 client says of chunks. */

const CHUNKED = /(?:^|\W)chunked(?:$|\W)/i;

/** Whether it takes them, as node reads its `TE`; one of HTTP/1.1 always does. */
export function wantsChunks(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 2 && name.toLowerCase() === 'te' && CHUNKED.test(rawHeaders[i + 1] as string)) return true;
  }
  return false;
}
