/** What is asked of every stack. The applications in apps/ answer these, each in its language, with the same bytes. */
import type { Work, WorkName } from './model.js';

const HELLO = 'hello world\n';
const JSON_BYTES = 1024;
const UPLOAD_BYTES = 64 * 1024;
/** What the download repeats. */
const PIECE = 'nearwire, 16 B.\n';
const DOWNLOAD_BYTES = 1024 * 1024;
/** CPU of the 1 KiB JSON's application, unless another is asked for. */
export const JSON_MS = 1;

export const WORKS: readonly Work[] = [
  {
    name: 'hello',
    title: 'hello world',
    method: 'GET',
    path: '/hello',
    requestBytes: 0,
    answerBytes: HELLO.length,
    appMs: 0,
  },
  jsonWork(JSON_MS),
  {
    name: 'download',
    title: '1 MiB body',
    method: 'GET',
    path: '/download',
    requestBytes: 0,
    answerBytes: DOWNLOAD_BYTES,
    appMs: 0,
  },
  {
    name: 'upload',
    title: '64 KiB upload',
    method: 'POST',
    path: '/upload',
    requestBytes: UPLOAD_BYTES,
    // The count, and a line's end.
    answerBytes: `${String(UPLOAD_BYTES)}\n`.length,
    appMs: 0,
  },
  {
    name: 'page',
    title: 'a wiki page, rendered by Jinja2',
    method: 'GET',
    path: '/page',
    requestBytes: 0,
    answerBytes: undefined,
    // Rendering is its work: nothing is burnt beside.
    appMs: 0,
  },
  ownWork('/'),
];

/** 1 KiB of JSON after so much CPU of the application. */
export function jsonWork(ms: number): Work {
  return {
    name: 'json',
    title: `1 KiB JSON after ${String(ms)} ms of CPU`,
    method: 'GET',
    path: `/json?ms=${String(ms)}`,
    requestBytes: 0,
    answerBytes: JSON_BYTES,
    appMs: ms,
  };
}

/** So many bytes, by an application that does nothing else. Of as many as hello world has it is that. */
export function emptyWork(bytes: number): Work {
  const hello = workNamed('hello');
  if (bytes === hello.answerBytes) return hello;
  return {
    name: 'hello',
    title: `an answer of ${String(bytes)} bytes`,
    method: 'GET',
    path: `/empty?bytes=${String(bytes)}`,
    requestBytes: 0,
    answerBytes: bytes,
    appMs: 0,
  };
}

/** A path of the user's own application. What CPU it takes is what is to be found out. */
export function ownWork(path: string): Work {
  return {
    name: 'own',
    title: `your application, ${path}`,
    method: 'GET',
    path,
    requestBytes: 0,
    answerBytes: undefined,
    appMs: 0,
  };
}

export function workNamed(name: WorkName): Work {
  const work = WORKS.find((entry) => entry.name === name);
  if (!work) throw new RangeError(`no work ${name}`);
  return work;
}

/** The body that answers it; undefined where the application's words are its own. */
export function answerOf(work: Work): string | undefined {
  if (work.name === 'hello') return work.answerBytes === HELLO.length ? HELLO : 'x'.repeat(work.answerBytes ?? 0);
  if (work.name === 'download') return PIECE.repeat(DOWNLOAD_BYTES / PIECE.length);
  if (work.name === 'upload') return `${String(work.requestBytes)}\n`;
  return undefined;
}
