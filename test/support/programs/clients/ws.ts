import { once } from 'node:events';
import { Readable } from 'node:stream';
import { createWebSocketStream, WebSocket, type ClientOptions } from 'ws';
import { LARGEST } from '../bodies.js';
import type { Address, Road, Seam } from '../seam.js';
import type { Request, Reply, Sender } from '../work.js';

class Connections {
  private readonly idle: WebSocket[] = [];

  constructor(
    private readonly base: string,
    private readonly options: ClientOptions,
  ) {}

  make(path: string): WebSocket {
    const socket = new WebSocket(this.base + path, this.options);
    socket.on('error', () => undefined);
    return socket;
  }

  async open(path: string): Promise<WebSocket> {
    const socket = this.make(path);
    await once(socket, 'open');
    return socket;
  }

  /** A message, and the one that answers it. */
  async exchange(message: Buffer | string): Promise<Buffer> {
    const socket = this.idle.pop() ?? (await this.open('/exchange'));
    socket.send(message);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    this.idle.push(socket);
    return answer;
  }
}

const replyOf = (data: Buffer): Reply => ({ status: 200, body: Readable.from(data.length === 0 ? [] : [data]) });

function download(connections: Connections, { path, signal }: Request): Reply {
  // Before it is open: the first messages may come together with the handshake.
  const body = createWebSocketStream(connections.make(path));
  signal?.addEventListener('abort', () => body.destroy());
  return { status: 200, body };
}

async function upload(connections: Connections, { path, signal }: Request, body: Readable): Promise<Reply> {
  const socket = await connections.open(path);
  signal?.addEventListener('abort', () => {
    socket.terminate();
  });
  for await (const chunk of body) {
    await new Promise<void>((resolve, reject) => {
      socket.send(chunk as Buffer, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
  socket.send('end');
  const [answer] = (await once(socket, 'message', { signal })) as [Buffer];
  socket.close();
  return replyOf(answer);
}

export function start(seam: Seam, address: Address, road: Road): Sender {
  const base = 'path' in address ? `ws+unix:${address.path}:` : `ws://${address.host}:${String(address.port)}`;
  const options: ClientOptions = { maxPayload: LARGEST };
  if (road === 'api') {
    options.createConnection = () => seam.connect(address);
  }
  const connections = new Connections(base, options);
  return async (request) => {
    const { body, path } = request;
    if (body instanceof Readable) return upload(connections, request, body);
    if (path.startsWith('/stream')) return download(connections, request);
    return replyOf(await connections.exchange(body ?? path));
  };
}
