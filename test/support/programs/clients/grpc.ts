import { Readable } from 'node:stream';
import { Client, credentials, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { asWritable, SERVICE } from '../grpc-service.js';
import type { Address, Seam } from '../seam.js';
import type { Reply, Request, Sender } from '../work.js';

const replyOf = (data: Buffer): Reply => ({ status: 200, body: Readable.from(data.length === 0 ? [] : [data]) });

type Answer = (error: Error | null, value?: Buffer) => void;

/** A call's outcome as a promise. */
function outcome(start: (answer: Answer) => unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(error);
      else resolve(replyOf(value ?? Buffer.alloc(0)));
    });
  });
}

function unary(client: Client, { path, requestSerialize, responseDeserialize }: Method, body: Buffer): Promise<Reply> {
  return outcome((answer) => client.makeUnaryRequest(path, requestSerialize, responseDeserialize, body, answer));
}

type Method = MethodDefinition<Buffer, Buffer>;

function download(client: Client, { signal }: Request, length: string): Reply {
  const { path, requestSerialize, responseDeserialize } = SERVICE.stream;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, Buffer.from(length));
  signal?.addEventListener('abort', () => {
    call.cancel();
  });
  return { status: 200, body: call };
}

function upload(client: Client, request: Request, body: Readable): Promise<Reply> {
  const { path, requestSerialize, responseDeserialize } = SERVICE.upload;
  const metadata = new Metadata();
  metadata.set('speed', request.path.endsWith('slow') ? 'slow' : 'fast');
  return outcome((answer) => {
    const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, answer);
    request.signal?.addEventListener('abort', () => {
      body.destroy();
      call.cancel();
    });
    // What goes wrong with it is told by the answer. (Its types have bytes where node's have strings as well.)
    body.pipe(asWritable(call));
  });
}

export function start(_: Seam, address: Address): Sender {
  const name = 'path' in address ? `unix:${address.path}` : `${address.host}:${String(address.port)}`;
  const client = new Client(name, credentials.createInsecure());
  return async (request) => {
    const { body } = request;
    if (body instanceof Readable) return upload(client, request, body);
    if (body !== undefined) return unary(client, SERVICE.echo, body);
    const { pathname, searchParams } = new URL(request.path, 'http://localhost');
    const { seed = '', length = '' } = Object.fromEntries(searchParams);
    if (pathname === '/stream') return download(client, request, length);
    if (pathname === '/stats') return unary(client, SERVICE.stats, Buffer.alloc(0));
    return unary(client, SERVICE.bytes, Buffer.from(JSON.stringify({ seed: Number(seed), length: Number(length) })));
  };
}
