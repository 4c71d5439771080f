import { once } from 'node:events';
import type { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import { originOf, targetOf, type Address, type Seam } from '../seam.js';
import type { Reply, Request, Sender } from '../work.js';

/** An agent, as the client's types have it: a name of theirs in a browser, node's own here. */
type ClientAgent = ManagerOptions['agent'];

function connect(address: Address, agent: Agent): Socket {
  // By polling first and then by a WebSocket, as it does by itself.
  return io(originOf(address), { agent: agent as unknown as ClientAgent, forceNew: true, reconnection: false });
}

const replyOf = (data: Buffer): Reply => ({ status: 200, body: Readable.from(data.length === 0 ? [] : [data]) });

function download(socket: Socket, { path, signal }: Request): Reply {
  let taken: (() => void) | undefined;
  const body = new Readable({
    read(): void {
      const answer = taken;
      taken = undefined;
      answer?.();
    },
    destroy(error, callback): void {
      socket.disconnect();
      callback(error);
    },
  });
  socket.on('chunk', (chunk: Buffer, answer: () => void) => {
    if (body.push(chunk)) answer();
    else taken = answer;
  });
  socket.on('end', () => body.push(null));
  signal?.addEventListener('abort', () => body.destroy());
  socket.emit('stream', lengthIn(path));
  return { status: 200, body };
}

async function upload(socket: Socket, { path, signal }: Request, body: Readable): Promise<Reply> {
  const isSlow = path.endsWith('slow');
  for await (const chunk of body) {
    if (signal?.aborted) {
      socket.disconnect();
      throw new Error('aborted');
    }
    await socket.emitWithAck('chunk', chunk, isSlow);
  }
  const result: unknown = await socket.emitWithAck('end');
  socket.disconnect();
  return replyOf(Buffer.from(JSON.stringify(result)));
}

function queryOf(path: string): URLSearchParams {
  return new URL(path, 'http://localhost').searchParams;
}

function lengthIn(path: string): number {
  return Number(queryOf(path).get('length'));
}

export async function start(seam: Seam, address: Address): Promise<Sender> {
  // An agent's own options are those of all its connections.
  const agent = seam.agent({ ...targetOf(address), keepAlive: true });
  const shared = connect(address, agent);
  await once(shared as unknown as NodeJS.EventEmitter, 'connect');
  return async (request) => {
    const { body, path } = request;
    if (body instanceof Readable) return upload(connect(address, agent), request, body);
    if (path.startsWith('/stream')) return download(connect(address, agent), request);
    if (body !== undefined) return replyOf((await shared.emitWithAck('echo', body)) as Buffer);
    if (path === '/stats') return replyOf(Buffer.from(JSON.stringify(await shared.emitWithAck('stats'))));
    const seed = Number(queryOf(path).get('seed'));
    return replyOf((await shared.emitWithAck('bytes', seed, lengthIn(path))) as Buffer);
  };
}
