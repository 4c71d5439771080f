/** uWebSockets.js with the same application: `node uws-server.js MODULE SOCKET`. */
import { createRequire } from 'node:module';

import { bytesOf, emptyBody, HELLO, jsonBody, millisOf } from './bodies.js';
import { burn } from './burn.js';

/** What is used of its API. */
interface Response {
  writeHeader(name: string, value: string): Response;
  end(body: string | Buffer): Response;
}
interface Request {
  getQuery(): string | undefined;
}
type Handler = (response: Response, request: Request) => void;
interface App {
  get(path: string, handler: Handler): App;
  listen_unix(callback: (socket: unknown) => void, path: string): App;
}

const [file = '', socket = ''] = process.argv.slice(2);
const { App } = createRequire(import.meta.url)(file) as { App(): App };

App()
  .get('/hello', (response) => {
    response.writeHeader('Content-Type', 'text/plain').end(HELLO);
  })
  .get('/empty', (response, request) => {
    response.writeHeader('Content-Type', 'text/plain').end(emptyBody(bytesOf(request.getQuery() ?? '')));
  })
  .get('/json', (response, request) => {
    burn(millisOf(request.getQuery() ?? ''));
    response.writeHeader('Content-Type', 'application/json').end(jsonBody());
  })
  .listen_unix((listening) => {
    if (listening) return;
    process.stderr.write(`${socket} can't be listened on\n`);
    process.exit(1);
  }, socket);
