/** A user's own application: what `--app FILE.js` may export, as one request listener. */
import * as http from 'node:http';
import { pathToFileURL } from 'node:url';

/** The module has been loaded, and what it exports can't be called with a request. */
export class NoApplication extends Error {}

/**
 * From a module whose default export, or `handler`, is a listener (req, res) (an Express application is one), a Koa or
 * Fastify application, or an http.Server that does not listen yet.
 */
export async function loadApp(file: string): Promise<http.RequestListener> {
  const module: unknown = await import(pathToFileURL(file).href);
  // A CommonJS module's exports are the default export.
  const outer = memberOf(module, 'default') ?? memberOf(module, 'handler');
  const listener =
    (await listenerOf(outer)) ?? (await listenerOf(memberOf(outer, 'handler') ?? memberOf(outer, 'default')));
  if (listener) return listener;
  throw new NoApplication(
    `${file} exports no application: its default export, or "handler", must be a listener (req, res), an Express, ` +
      'Koa or Fastify application, or an http.Server that does not listen yet. A program that only listens by itself ' +
      "needs one line more: 'export default app' or 'module.exports = app'",
  );
}

async function listenerOf(value: unknown): Promise<http.RequestListener | undefined> {
  if (value instanceof http.Server) {
    return (request, response) => {
      value.emit('request', request, response);
    };
  }
  if (typeof value === 'function') return value as http.RequestListener;
  // Koa's, which makes a listener.
  const callback = methodOf(value, 'callback');
  if (callback) return callback() as http.RequestListener;
  // Fastify's, which has plugins to load first.
  const [ready, routing] = [methodOf(value, 'ready'), methodOf(value, 'routing')];
  if (!ready || !routing) return undefined;
  await ready();
  return routing;
}

function methodOf(value: unknown, key: string): ((...words: unknown[]) => unknown) | undefined {
  const found = memberOf(value, key);
  return typeof found === 'function' ? (found.bind(value) as (...words: unknown[]) => unknown) : undefined;
}

function memberOf(value: unknown, key: string): unknown {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
