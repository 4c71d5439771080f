/**
 * The server process of one subject in one round: a listener for each send buffer, which answers requests with as many
 * bytes as they ask for.
 */
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { createServer, Page, sendFile, type Socket } from 'nearwire';
import { getSocketOptions, setSocketOptions } from 'nearwire/tune';

import { median } from '../statistics.js';
import { Control, cpuMicroseconds, tell } from '../work/control.js';
import { pattern } from '../work/pattern.js';
import { bodyFile } from './bodies.js';
import type { BufferChoice, Family, SubjectName } from './model.js';
import { ASK, encodeReport, RequestParser } from './protocol.js';

interface Words {
  readonly subject: SubjectName;
  readonly family: Family;
  /** Of socket files and bodies. */
  readonly folder: string;
  readonly buffers: readonly BufferChoice[];
}

/** Sends a body of so many bytes, and tells when the kernel has all of it. */
type Responder = (socket: Socket, bytes: number, left?: () => void) => void;

function readWords(): Words {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { subject: text, family: text, folder: text, buffers: text } });
  const { subject, family, folder, buffers } = values;
  if (subject === undefined || folder === undefined || buffers === undefined) throw new TypeError('words are missing');
  return {
    subject: subject as SubjectName,
    family: family === 'tcp' ? 'tcp' : 'unix',
    folder,
    buffers: buffers.split(',').map((word) => (word === 'default' ? word : Number(word))),
  };
}

/** Bodies are made once for each size. */
function keptBodies(make: (bytes: number) => Buffer): (bytes: number) => Buffer {
  const kept = new Map<number, Buffer>();
  return (bytes) => {
    const body = kept.get(bytes) ?? make(bytes);
    kept.set(bytes, body);
    return body;
  };
}

function responderOf({ subject, folder }: Words): Responder {
  if (subject === 'file') {
    return (socket, bytes, left) => {
      sendFile(socket, bodyFile(folder, bytes), (error?: Error | null) => {
        // A reader that goes away in the midst of it has had enough.
        if (!error) left?.();
      });
    };
  }
  const bodyOf = keptBodies(subject === 'page' ? (bytes) => Page.from(pattern(bytes)) : pattern);
  return (socket, bytes, left) => {
    if (left === undefined) {
      socket.write(bodyOf(bytes));
      return;
    }
    socket.write(bodyOf(bytes), (error) => {
      if (!error) left();
    });
  };
}

/** Answers what comes on one connection. */
function serve(socket: Socket, respond: Responder): void {
  let sent = 0;
  const heldFor: number[] = [];
  const parser = new RequestParser((ask, bytes) => {
    if (ask === ASK.report) {
      const held = heldFor.length > 0 ? median(heldFor) : NaN;
      socket.write(
        encodeReport({ cpu: cpuMicroseconds(), sent, sendBuffer: getSocketOptions(socket).sendBuffer ?? NaN, held }),
      );
      return;
    }
    sent += bytes;
    if (ask === ASK.response) {
      respond(socket, bytes);
      return;
    }
    const begun = performance.now();
    respond(socket, bytes, () => heldFor.push((performance.now() - begun) * 1e3));
  });
  socket.on('error', () => socket.destroy()).on('data', parser.read);
}

async function listen(server: Server, { subject, family, folder }: Words, buffer: BufferChoice): Promise<string> {
  const path = join(folder, `${subject}-${String(buffer)}`);
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    if (family === 'unix') server.listen(path, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  if (family === 'unix') return path;
  const { address, port } = server.address() as AddressInfo;
  return `${address}:${String(port)}`;
}

async function main(): Promise<void> {
  const words = readWords();
  const transport = words.subject === 'js' ? 'js' : 'native';
  const respond = responderOf(words);
  const servers: Server[] = [];
  new Control(() => {
    for (const server of servers) server.close();
  });
  const addresses: Record<string, string> = {};
  for (const buffer of words.buffers) {
    const server = createServer({ transport, noDelay: true }, (socket) => {
      // On node:net's sockets too, and smaller than the default too, which a server's own option is not made for.
      if (buffer !== 'default') setSocketOptions(socket, { sendBuffer: buffer });
      serve(socket, respond);
    });
    servers.push(server);
    addresses[String(buffer)] = await listen(server, words, buffer);
  }
  tell({ ready: addresses });
}

await main();
