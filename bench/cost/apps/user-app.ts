/** A user's own application: converts what `--app FILE.js` may export into a request listener. */
import * as http from 'node:http';
import { pathToFileURL } from 'node:url';

/**
 * From a module whose default export, or `handler`, is a listener (req, res) (an Express application is one), a Koa or
 * Fastify application, or an http.Server that does not listen yet.
 */
export async function loadApp(file: string): Promise<http.RequestListener> {
  const module = (await import(pathToFileURL(file).href)) as object;
  // A CommonJS module's exports are the default export.
  for (const from of [module, memberOf(module, 'default')]) {
    for (const key of ['default', 'handler']) {
      const listener = await listenerOf(memberOf(from, key));
      if (listener !== undefined) return listener;
    }
  }
  // Errors of the module show their stack; this message comes without ours.
  process.stderr.write(
    `${file} exports no application: its default export, or "handler", must be a listener (req, res), an Express, ` +
      'Koa or Fastify application, or an http.Server that does not listen yet. A program that only calls listen() itself ' +
      "needs one more line: 'export default app' or 'module.exports = app'\n",
  );
  process.exit(1);
}

async function listenerOf(value: unknown): Promise<http.RequestListener | undefined> {
  if (value instanceof http.Server) {
    return (request, response) => {
      value.emit('request', request, response);
    };
  }
  if (typeof value === 'function') return value as http.RequestListener;
  // Koa's method that makes a listener.
  const callback = memberOf(value, 'callback');
  if (typeof callback === 'function') return callback.call(value) as http.RequestListener;
  // Fastify must load its plugins first.
  const [ready, routing] = [memberOf(value, 'ready'), memberOf(value, 'routing')];
  if (typeof ready !== 'function' || typeof routing !== 'function') return undefined;
  await ready.call(value);
  return routing.bind(value) as http.RequestListener;
}

function memberOf(value: unknown, key: string): unknown {
  return (Object(value) as Readonly<Record<string, unknown>>)[key];
}
