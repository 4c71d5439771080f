/** An `http.Server` whose plain requests are also looked at for what `strict` refuses. */
import type * as net from 'node:net';
import type { Engine } from '../../engine/engine.js';
import { listensAlone, listensFirst } from '../../node/http-server.js';
import { HttpHost } from '../host.js';
import type { PlainHead } from '../plain-request.js';
import { authorityOf } from './authority.js';
import { guard } from './gate.js';
import { serveStrictly } from './servers.js';

/** The one that was right last: most requests have the same. */
let knownHost = '';

function isValid(host: string): boolean {
  if (host === knownHost) return host !== '';
  const authority = authorityOf(host);
  if (authority === undefined || authority.host === '') return false;
  knownHost = host;
  return true;
}

/** Whether there is at most one Host, which is valid: all else that is plain is so by RFC 9112 as well. */
function hasValidHost(rawHeaders: readonly string[]): boolean {
  let isFirst = true;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (!isFirst || !isValid(rawHeaders[i + 1] as string)) return false;
    isFirst = false;
  }
  return true;
}

export class StrictHost extends HttpHost {
  override get servesPlain(): boolean {
    return listensFirst(this.emitter, serveStrictly) && this.leavesPlain;
  }

  override get listensAlone(): boolean {
    return listensAlone(this.emitter, serveStrictly);
  }

  /** What is not valid is refused where all else is read that is not plain. */
  override scan(engine: Engine, data: Buffer, start: number, end: number): PlainHead | undefined {
    const head = super.scan(engine, data, start, end);
    return head !== undefined && hasValidHost(head.rawHeaders) ? head : undefined;
  }

  override readonly guard = (socket: net.Socket, bodyLeft: number): void => {
    // It has been given its own listener first.
    guard(this.emitter, socket, bodyLeft, []);
  };
}
