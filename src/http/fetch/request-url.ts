/** The URL of a request, from its target and its Host header. */

/**
 * Characters that the URL parser leaves as they are, in the path and in the query, without a segment that may be `.` or
 * `..`, in any of its spellings.
 */
const PLAIN_TARGET = /^(?:\/(?!\.|%2[eE])[\w\-.~!$&()*+,;=:@%?]*)+$/;
const ABSOLUTE = /^https?:\/\//i;
/** What no authority has, although the URL parser would take it for the start of something else. */
const NO_AUTHORITY = /[^\x21-\x7e]|[/?#@\\%]/;

/** Of HTTP/1.0, where a request may have no Host. */
const DEFAULT_HOST = 'localhost';

let knownHost: string | undefined;
let knownOrigin = '';

/** undefined: no authority. */
function originOf(host: string): string | undefined {
  if (host === knownHost) return knownOrigin;
  if (NO_AUTHORITY.test(host)) return undefined;
  const url = parse(`http://${host}/`);
  if (url === undefined) return undefined;
  knownHost = host;
  return (knownOrigin = url.origin);
}

function parse(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return url.username === '' && url.password === '' ? url : undefined;
  } catch {
    return undefined;
  }
}

/** The value of the one Host header; null: there are several. */
function hostOf(rawHeaders: readonly string[]): string | null | undefined {
  let host: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return null;
    host = rawHeaders[i + 1];
  }
  return host;
}

/** The absolute URL. undefined: the target or the Host header is not valid. */
export function urlOf(target: string, rawHeaders: readonly string[]): string | undefined {
  const host = hostOf(rawHeaders);
  if (host === null) return undefined;
  const origin = originOf(host ?? DEFAULT_HOST);
  if (origin === undefined) return undefined;
  if (PLAIN_TARGET.test(target)) return origin + target;
  const path = target.split('?', 1)[0] as string;
  // The URL parser would take it for a slash, and a reverse proxy in front would not.
  if (path.includes('\\')) return undefined;
  if (target.startsWith('/') || target === '*') return parse(`${origin}/${target.replace(/^\//, '')}`)?.href;
  return ABSOLUTE.test(target) ? parse(target)?.href : undefined;
}
