/**
 * Buffers: nothing fails when one is full. If a user does not read a response, nginx puts what exceeds its buffers into
 * a file, and an application keeps what its kernel does not take.
 */
import * as http from 'node:http';
import { Readable } from 'node:stream';

import { createServer, type HttpServerOptions } from 'nearwire/http';
import { largestUnread, PAGE, type Answer } from '../../unread.js';
import type { Outcome } from './model.js';
import { startFront, withParts, type Lab } from './servers.js';

const LARGEST = 4 * 1024 * 1024;

/** The largest response of which nginx writes nothing to a file. */
export function spool(lab: Lab, location: string): Promise<Outcome> {
  return withParts(lab, async (parts) => {
    const own = { path: parts.file('app.sock') };
    const { path, logged } = await startFront(parts, own, { location });
    let [line, kept]: [string | null, number] = [null, 0];
    const fits = (left: number): boolean => {
      kept = left;
      const found = logged('buffered to a temporary file');
      line ??= found;
      return found === null;
    };
    const largest = await largestUnread(http.createServer, own, answerByPages, LARGEST, { from: { path }, fits });
    return { ...outcomeOf(largest), kept, logged: line };
  });
}

/** Page by page, which shows how far nginx has read. */
function answerByPages(response: http.ServerResponse, size: number): () => number {
  let left = size;
  response.setHeader('Content-Length', size);
  const pages = (function* (): Generator<Buffer> {
    for (; left > 0; left -= PAGE) yield Buffer.alloc(PAGE);
  })();
  Readable.from(pages).pipe(response);
  return () => left;
}

/** The largest response that the kernel takes completely. */
export function hold(lab: Lab, options: HttpServerOptions): Promise<Outcome> {
  return withParts(lab, async (parts) => {
    const own = { path: parts.file('app.sock') };
    const answer: Answer = (response, size) => {
      response.end(Buffer.alloc(size));
      return () => (response.writableFinished ? 0 : size);
    };
    const largest = await largestUnread((handler) => createServer(options, handler), own, answer, LARGEST);
    return { ...outcomeOf(largest), logged: null };
  });
}

function outcomeOf(largest: number): Pick<Outcome, 'gaveOut' | 'driven'> {
  return { gaveOut: largest === LARGEST ? null : largest, driven: LARGEST };
}
