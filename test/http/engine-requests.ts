/** Requests that tests of the engine send. */
const HOST = 'Host: x\r\n';

export const GET = `GET /get HTTP/1.1\r\n${HOST}\r\n`;
export const LAST = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
export const post = (length: number): string =>
  `POST /post HTTP/1.1\r\n${HOST}Content-Length: ${String(length)}\r\n\r\n`;
