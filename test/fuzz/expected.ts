/**
 * What a uwsgi server is to make of a packet, worked out a second time: from the protocol's description and docs/uwsgi.md,
 * by the plainest means, and from the whole of it at once.
 */

export interface ExpectedRequest {
  method: string;
  url: string;
  /** Undefined: whatever. */
  version: string | undefined;
  rawHeaders: string[];
  variables: Map<string, string>;
  /** As announced. */
  bodyLength: number;
  body: Buffer;
  /** All of the body is there. */
  complete: boolean;
  /** Bytes behind the body, which belong to nothing. */
  surplus: number;
  expect: string | undefined;
  upgrade: string | undefined;
}

/** `status`: it is refused with that. `cut`: it is not all there, and refused (400) if the peer ends so. */
export type Expected = { status: number } | { cut: true } | { request: ExpectedRequest };

const MAX_VARIABLES = 1000;
const NOT_HEADERS = ['content-type', 'content-length', 'transfer-encoding'];
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const URL = /^[!-~]+$/;

export function expectedOf(bytes: Buffer): Expected {
  if (bytes.length === 0) return { cut: true };
  if (bytes[0] !== 0) return { status: 400 };
  if (bytes.length < 4) return { cut: true };
  const size = bytes.readUInt16LE(1);
  if (bytes.length < 4 + size) return { cut: true };
  const pairs = pairsOf(bytes.subarray(4, 4 + size));
  if (pairs === undefined) return { status: 400 };
  const lengths = pairs.filter(([name, value]) => name === 'CONTENT_LENGTH' && value !== '').map(([, value]) => value);
  if (!lengths.every((value) => /^[0-9]{1,15}$/.test(value))) return { status: 400 };
  if (new Set(lengths.map(Number)).size > 1 || !pairs.every(mayStand)) return { status: 400 };
  if (pairs.length > MAX_VARIABLES) return { status: 431 };
  const variables = new Map(pairs);
  const method = variables.get('REQUEST_METHOD') ?? '';
  if (method === '' || !URL.test(urlOf(variables))) return { status: 400 };
  const bodyLength = Number(lengths.at(-1) ?? 0);
  const body = bytes.subarray(4 + size, 4 + size + bodyLength);
  return {
    request: {
      method,
      url: urlOf(variables),
      version: versionOf(pairs),
      rawHeaders: headersOf(pairs),
      variables,
      bodyLength,
      body,
      complete: body.length === bodyLength,
      surplus: bytes.length - (4 + size + body.length),
      expect: variables.get('HTTP_EXPECT'),
      upgrade: pairs.filter(([name, value]) => name === 'HTTP_UPGRADE' && value !== '').at(-1)?.[1],
    },
  };
}

/** What becomes a method, a URL or a header has no characters that those can't have. */
function mayStand([name, value]: readonly [string, string]): boolean {
  if (name === 'REQUEST_METHOD') return TOKEN.test(value);
  if (name === 'REQUEST_URI') return value === '' || URL.test(value);
  const isHeader = name.startsWith('HTTP_');
  if (!isHeader && name !== 'CONTENT_TYPE') return true;
  return /^[\t -~\x80-\xff]*$/.test(value) && (!isHeader || TOKEN.test(name.slice(5)));
}

/** Undefined unless the block is full of whole pairs. */
function pairsOf(block: Buffer): [name: string, value: string][] | undefined {
  const parts: string[] = [];
  let at = 0;
  while (at < block.length) {
    if (at + 2 > block.length) return undefined;
    const until = at + 2 + block.readUInt16LE(at);
    if (until > block.length) return undefined;
    parts.push(block.toString('latin1', at + 2, until));
    at = until;
  }
  if (parts.length % 2 !== 0) return undefined;
  return parts.flatMap((part, i) => (i % 2 === 0 ? [[part, parts[i + 1] ?? ''] as [string, string]] : []));
}

function urlOf(variables: Map<string, string>): string {
  const uri = variables.get('REQUEST_URI') ?? '';
  if (uri !== '') return uri;
  const path = (variables.get('SCRIPT_NAME') ?? '') + (variables.get('PATH_INFO') ?? '');
  const escaped = path.replace(
    /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/gs,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  const query = variables.get('QUERY_STRING') ?? '';
  return (escaped === '' ? '/' : escaped) + (query === '' ? '' : `?${query}`);
}

function headersOf(pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.flatMap(([name, value]) => {
    if (name === 'CONTENT_TYPE' || name === 'CONTENT_LENGTH') {
      return value === '' ? [] : [name.toLowerCase().replace('_', '-'), value];
    }
    const made = name.slice(5).toLowerCase().replaceAll('_', '-');
    return !name.startsWith('HTTP_') || NOT_HEADERS.includes(made) ? [] : [made, value];
  });
}

/** Of one SERVER_PROTOCOL; no front server sends two, and what they would mean is left open. */
function versionOf(pairs: readonly (readonly [string, string])[]): string | undefined {
  const protocols = pairs.filter(([name]) => name === 'SERVER_PROTOCOL').map(([, value]) => value);
  if (protocols.length > 1) return undefined;
  const [, major, minor] = /^HTTP\/([0-9])(?:\.([0-9]))?$/.exec(protocols[0] ?? '') ?? [];
  return major === undefined ? '1.1' : `${major}.${minor ?? '0'}`;
}
