/** uWebSockets.js with the same application: `node uws-server.js MODULE SOCKET`. */
import { createRequire } from 'node:module';

import { DOWNLOAD, HELLO, jsonBody, millisOf } from './bodies.js';
import { burn } from './burn.js';

/** What is used of its API. */
interface Response {
  writeStatus(status: string): Response;
  writeHeader(name: string, value: string): Response;
  end(body: string | Buffer): Response;
  cork(callback: () => void): Response;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): Response;
  onAborted(handler: () => void): Response;
}
interface Request {
  getQuery(): string | undefined;
}
type Handler = (response: Response, request: Request) => void;
interface App {
  get(path: string, handler: Handler): App;
  post(path: string, handler: Handler): App;
  listen_unix(callback: (socket: unknown) => void, path: string): App;
}

const [file = '', socket = ''] = process.argv.slice(2);
const { App } = createRequire(import.meta.url)(file) as { App(): App };

function upload(response: Response): void {
  let count = 0;
  let aborted = false;
  response.onAborted(() => {
    aborted = true;
  });
  response.onData((chunk, isLast) => {
    count += chunk.byteLength;
    if (!isLast || aborted) return;
    response.cork(() => {
      response.writeHeader('Content-Type', 'text/plain').end(`${String(count)}\n`);
    });
  });
}

App()
  .get('/hello', (response) => {
    response.writeHeader('Content-Type', 'text/plain').end(HELLO);
  })
  .get('/json', (response, request) => {
    burn(millisOf(request.getQuery() ?? ''));
    response.writeHeader('Content-Type', 'application/json').end(jsonBody());
  })
  .get('/download', (response) => {
    response.writeHeader('Content-Type', 'application/octet-stream').end(DOWNLOAD);
  })
  .post('/upload', upload)
  .listen_unix((listening) => {
    if (listening) return;
    process.stderr.write(`${socket} can't be listened on\n`);
    process.exit(1);
  }, socket);
