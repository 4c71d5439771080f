/** The `Date` header line, built once a second. */
import { setTimeout } from 'node:timers';

const SECOND = 1000;

let line: string | undefined;

function forget(): void {
  line = undefined;
}

export function dateLine(): string {
  if (line === undefined) {
    const now = new Date();
    line = `Date: ${now.toUTCString()}\r\n`;
    setTimeout(forget, SECOND - now.getMilliseconds()).unref();
  }
  return line;
}
