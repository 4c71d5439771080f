/** Writes that make no sense throw where node's do, with the same code, and lose nothing of what comes before and behind. */
import type * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import { rawRequest } from '../support/http.js';
import { listen } from '../support/sockets.js';
import { everyWay, reference, type Family, type Subject } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';
import { LAST } from './engine-requests.js';

type Write = (response: http.ServerResponse) => unknown;

const NO_ENCODING = 'no such encoding' as BufferEncoding;

/** Without those that leave node's own response unfinished: bytes to a response in an unknown encoding, and text to a socket as 'buffer'. */
const WRITES: Record<string, Write> = {
  'response.write() in an unknown encoding': (response) => response.write('text', NO_ENCODING),
  'response.write() of nothing in one': (response) => response.write('', NO_ENCODING),
  'response.write() of null': (response) => response.write(null),
  'response.write() of a number': (response) => response.write(1),
  'response.end() in an unknown encoding': (response) => response.end('text', NO_ENCODING),
  'response.end() of a number': (response) => response.end(1),
  'socket.write() in an unknown encoding': (response) => response.socket?.write('text', NO_ENCODING),
  'socket.write() of bytes in one': (response) => response.socket?.write(Buffer.from('text'), NO_ENCODING),
  'socket.write() of nothing in one': (response) => response.socket?.write('', NO_ENCODING),
  'socket.write() in no encoding': (response) => response.socket?.write('text', '' as BufferEncoding),
  'socket.write() of null': (response) => response.socket?.write(null as unknown as string),
  'socket.write() of undefined': (response) => response.socket?.write(undefined as unknown as string),
  'socket.write() of a number': (response) => response.socket?.write(1 as unknown as string),
  'socket.end() in an unknown encoding': (response) => response.socket?.end('text', NO_ENCODING),
  'socket.write() while it is corked, in an unknown encoding': (response) => {
    response.socket?.cork();
    try {
      response.socket?.write('text', NO_ENCODING);
    } finally {
      response.socket?.uncork();
    }
  },
};

/** What the write throws, then what the client gets. */
async function told(subject: Subject, family: Family, write: Write, before: string, after: string): Promise<string[]> {
  const record: string[] = [];
  onUncaught((error) => record.push(`uncaught: ${error.message}`));
  const server = subject.http.createServer({}, (_, response) => {
    response.sendDate = false;
    response.on('error', (error: NodeJS.ErrnoException) => record.push(`error: ${String(error.code)}`));
    if (before !== '') response.write(before);
    try {
      write(response);
      record.push('returns');
    } catch (error) {
      const { name, code, message } = error as NodeJS.ErrnoException;
      record.push(`${name} ${String(code)}: ${message}`);
    }
    response.end(after);
  });
  const address = await listen(server, family);
  record.push(await rawRequest(reference, address, LAST));
  return record;
}

describe.each(everyWay)('writes that make no sense: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(WRITES))('%s', async (_, write) => {
    for (const before of ['', 'before']) {
      const expected = await told(reference, family, write, before, 'after');
      expect(await told(subject, family, write, before, 'after')).toEqual(expected);
    }
  });
});
