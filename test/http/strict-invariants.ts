/** What must hold of a conversation that a strict server holds otherwise than node's. */
import type { Difference } from './vectors-compare.js';

/** The end of what a client gets that is refused: by node's own answer, or by the listener's of talk.ts. */
const REFUSAL =
  /HTTP\/1\.1 (?:400 Own\r\n\r\n|(?:400 Bad Request|501 Not Implemented|505 HTTP Version Not Supported)\r\nConnection: close\r\n\r\n)\|*<end><close>\|*$/;

/** The answer of talk.ts to 'upgrade' and 'connect'. */
const TUNNEL = 'HTTP/1.1 101 Own\r\n\r\n';

function lineOf(record: readonly string[], owner: string): string {
  const line = record.find((one) => one.startsWith(`${owner}: `)) ?? '';
  // In which step it happened is no matter of these.
  return line.slice(owner.length + 2).replaceAll('|', '');
}

function requestsOf(record: readonly string[]): number {
  return record.filter((line) => /^request \d+: /.test(line)).length;
}

const includes = (record: readonly string[], text: string): boolean => record.some((line) => line.includes(text));

/**
 * Whether the body of an upgrade that has no listener is refused when the request has been answered. Node's parser reports no
 * error behind the head of any upgrade.
 */
function isRefusedLate({ told, expected }: Difference): boolean {
  const [ours, nodes] = [told, expected].map((record) => lineOf(record, 'socket').includes('close true'));
  return ours === true && nodes === false && told.some((line) => /^request .*"rawHeaders":\[.*"upgrade"/i.test(line));
}

/** Whether the strict server has refused it by a rule of its own, or by one that node's parser has as well. */
export function isRefused(one: Difference): boolean {
  const { told, expected } = one;
  if (includes(told, '"code":"ERR_NEARWIRE_HTTP_STRICT"') || isRefusedLate(one)) return true;
  const [ours, nodes] = [lineOf(told, 'client'), lineOf(expected, 'client')];
  return !includes(told, 'clientError') && REFUSAL.test(ours) && !REFUSAL.test(nodes);
}

/**
 * Whether node ends it at once, with an answer to other requests owed: its parser fails, or CONNECT has no listener. A strict server
 * answers first what it owes.
 */
function isCutOff({ expected }: Difference): boolean {
  if (includes(expected, '"code":"HPE_') || REFUSAL.test(lineOf(expected, 'client'))) return true;
  if (lineOf(expected, 'socket').includes('close true')) return true;
  return expected.some((line) => / answer: /.test(line) && !line.includes('finish'));
}

/** Of a request what its listener was called with. */
function headOf(record: readonly string[], i: number): string {
  const line = lineOf(record, `request ${String(i)}`);
  return line.slice(0, line.indexOf('}}') + 2);
}

function brokenByRequests(one: Difference, isLike: boolean): string | undefined {
  const { told, expected } = one;
  const [ours, nodes] = [requestsOf(told), requestsOf(expected)];
  if (isLike && ours > nodes) return 'no request is served that node does not serve';
  for (let i = 0; i < Math.min(ours, nodes); i++) {
    const name = `request ${String(i)}`;
    if (headOf(told, i) !== headOf(expected, i)) return `${name} has the head that it has on node`;
    // The last one's body may be what is refused.
    const isWhole = isLike && i < ours - 1;
    if (isWhole && lineOf(told, name) !== lineOf(expected, name)) return `${name} is served as by node`;
  }
  return undefined;
}

/** The rule that is broken; undefined if none is. */
export function brokenInvariant(one: Difference): string | undefined {
  const { told, expected } = one;
  const isCut = isCutOff(one);
  if (includes(told, '<after an error>')) return 'no request is served after an error';
  if (!isRefused(one) && !isCut) return 'what is not refused is served as by node';
  const client = lineOf(told, 'client');
  if (!client.endsWith('<end><close>')) return 'the connection closes';
  const broken = brokenByRequests(one, !isCut);
  if (broken !== undefined || isCut) return broken;
  // A tunnel's answer does not wait for the others.
  const [ours, nodes] = [client.replace(REFUSAL, ''), lineOf(expected, 'client')].map((text) =>
    text.replace(TUNNEL, ''),
  );
  return nodes?.startsWith(ours?.replace(/<end>.*$/s, '') ?? '') === true
    ? undefined
    : 'the answers before are the same bytes';
}
