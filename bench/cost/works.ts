/** The requests that stacks get. The applications in apps/ serve them, each in its language, with the same bytes. */
import type { Work } from './model.js';

const HELLO_BODY = 'hello world\n';
const JSON_BYTES = 1024;

export const HELLO: Work = { name: 'hello', path: '/hello', answerBytes: HELLO_BODY.length };
/** A wiki page. */
export const PAGE: Work = { name: 'page', path: '/page', answerBytes: undefined };

/** 1 KiB of JSON after this many milliseconds of the application's CPU. */
export function jsonWork(ms: number): Work {
  return { name: 'json', path: `/json?ms=${String(ms)}`, answerBytes: JSON_BYTES };
}

/**
 * This many bytes, from an application that does nothing else. For the size of hello world, that work is used, which
 * all servers support.
 */
export function emptyWork(bytes: number): Work {
  if (bytes === HELLO.answerBytes) return HELLO;
  return { name: 'empty', path: `/empty?bytes=${String(bytes)}`, answerBytes: bytes };
}

/** A path of the user's own application. */
export function ownWork(path: string): Work {
  return { name: 'own', path, answerBytes: undefined };
}

/** Expected body; undefined if unknown. */
export function answerOf({ name, answerBytes = 0 }: Work): string | undefined {
  if (name === 'hello') return HELLO_BODY;
  return name === 'empty' ? 'x'.repeat(answerBytes) : undefined;
}
