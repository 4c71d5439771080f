/** Listens as the command line says, and ends as a service manager asks for it. */
import { createServer as createHttpServer } from 'nearwire/http';
import { createServer as createUwsgiServer } from 'nearwire/uwsgi';

const PROTOCOLS = { uwsgi: createUwsgiServer, http: createHttpServer };

/** What a request is handed to: `(req, res)`. */
export function serverFor(handler) {
  const create = PROTOCOLS[process.argv[2]];
  if (create === undefined || process.argv[3] === undefined) {
    console.error('usage: node APP uwsgi|http SOCKET');
    process.exit(2);
  }
  return create(handler);
}

export function serve(handler, server = serverFor(handler)) {
  const [, , protocol, socket] = process.argv;
  server.listen(socket, () => console.log(`${protocol} on ${socket}`));
  // Requests under way are answered; then nothing keeps the process.
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
}
