/** A user's own application: what `--app FILE.js` may export, as one request listener. */
import * as http from 'node:http';
import { pathToFileURL } from 'node:url';

/**
 * From a module whose default export, or `handler`, is a listener (req, res) (an Express application is one) or an
 * http.Server that does not listen yet.
 */
export async function loadApp(file: string): Promise<http.RequestListener> {
  const module: unknown = await import(pathToFileURL(file).href);
  // A CommonJS module's exports are the default export.
  const outer = memberOf(module, 'default') ?? memberOf(module, 'handler');
  const found = isUsable(outer) ? outer : (memberOf(outer, 'handler') ?? memberOf(outer, 'default'));
  if (found instanceof http.Server) {
    return (request, response) => {
      found.emit('request', request, response);
    };
  }
  if (typeof found === 'function') return found as http.RequestListener;
  throw new TypeError(
    `${file} exports no application: its default export, or "handler", must be a listener (req, res), ` +
      'an Express application, or an http.Server that does not listen yet',
  );
}

function isUsable(value: unknown): boolean {
  return typeof value === 'function' || value instanceof http.Server;
}

function memberOf(value: unknown, key: string): unknown {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
