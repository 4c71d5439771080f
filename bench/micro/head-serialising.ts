/**
 * Serializes response headers, from `writeHead(200, headers)` to text: by node's ServerResponse, and by that of
 * `nearwire/http`.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import type { Incoming, ResponseClass } from 'nearwire/internal';
import { makeResponse, storeHeader } from 'nearwire/internal';
import { counted, type Operation, type Rivals } from './operation.js';

const HEADS = 200;
const HEADERS = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': 12, 'Cache-Control': 'no-store' };

function requestOf(): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  return Object.assign(request, { httpVersionMajor: 1, httpVersionMinor: 1, method: 'GET' });
}

interface HeadWriter {
  _header: string | null;
  writeHead(status: number, headers: typeof HEADERS): unknown;
}

/** The same object each time: the cost of making one is a separate matter. */
function writing(response: HeadWriter): Operation {
  let whole = 0;
  return counted(
    HEADS,
    () => {
      response._header = null;
      response.writeHead(200, HEADERS);
      const { _header: text } = response as { _header: string | null };
      if (text?.endsWith('\r\n\r\n')) whole++;
    },
    () => whole,
  );
}

function byOurs(): Operation {
  const options = { highWaterMark: 16 * 1024, rejectNonStandardBodyWrites: false };
  const Class: ResponseClass = ServerResponse as never;
  return writing(makeResponse(Class, requestOf() as IncomingMessage & Incoming, options, storeHeader, true));
}

export function headSerialising(): Rivals {
  return {
    'node:net': () => writing(new ServerResponse(requestOf()) as ServerResponse & { _header: string | null }),
    native: byOurs,
  };
}
