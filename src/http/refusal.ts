/** What node's server answers to an error, if no listener of 'clientError' does. */
const ANSWERS: Record<string, string> = {
  ERR_HTTP_REQUEST_TIMEOUT: answer('408 Request Timeout'),
  HPE_HEADER_OVERFLOW: answer('431 Request Header Fields Too Large'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: answer('413 Payload Too Large'),
};
const BAD_REQUEST = answer('400 Bad Request');

function answer(status: string): string {
  return `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`;
}

export function refusalOf(error: unknown): string {
  // A program may emit anything.
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return (typeof code === 'string' ? ANSWERS[code] : undefined) ?? BAD_REQUEST;
}
