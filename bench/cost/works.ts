/** What is asked of stacks. The applications in apps/ answer these, each in its language, with the same bytes. */
import type { Work } from './model.js';

const HELLO_BODY = 'hello world\n';
const JSON_BYTES = 1024;

export const HELLO: Work = { name: 'hello', path: '/hello', answerBytes: HELLO_BODY.length };
/** Of a wiki. */
export const PAGE: Work = { name: 'page', path: '/page', answerBytes: undefined };

/** 1 KiB of JSON after so many milliseconds of the application's CPU. */
export function jsonWork(ms: number): Work {
  return { name: 'json', path: `/json?ms=${String(ms)}`, answerBytes: JSON_BYTES };
}

/** So many bytes, by an application that does nothing else. As many as hello world has are that, which all servers know. */
export function emptyWork(bytes: number): Work {
  if (bytes === HELLO.answerBytes) return HELLO;
  return { name: 'empty', path: `/empty?bytes=${String(bytes)}`, answerBytes: bytes };
}

/** A path of the user's own application. */
export function ownWork(path: string): Work {
  return { name: 'own', path, answerBytes: undefined };
}

/** The body that answers it; undefined where the application's words are its own. */
export function answerOf({ name, answerBytes = 0 }: Work): string | undefined {
  if (name === 'hello') return HELLO_BODY;
  return name === 'empty' ? 'x'.repeat(answerBytes) : undefined;
}
