const CR = 13;
const LF = 10;

/**
 * Whether these bytes are the header block of one message and nothing else: each line ends in CRLF and holds no other
 * CR or LF, so that no parser, however lenient, sees the empty line earlier; the only empty line is at the end. (A
 * loop: for most headers, calling Buffer.indexOf would cost as much.)
 */
export function isLoneHead(bytes: Uint8Array, start: number, end: number): boolean {
  let line = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === LF) return false;
    if (byte !== CR) continue;
    if (bytes[++at] !== LF || at >= end) return false;
    if (at === line + 1) return at + 1 === end && line > start;
    line = at + 1;
  }
  return false;
}
