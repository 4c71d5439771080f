/** The same handler behind nginx twice: by `uwsgi_pass` and by `proxy_pass`, to be asked the same and compared. */
import { once } from 'node:events';
import * as http from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'nearwire/uwsgi';
import { randomOf } from '../random.js';
import { runNginx } from '../nginx.js';
import { cleanup, temporaryDirectory } from '../sockets.js';
import { echo, type Differences } from './echo.js';
import { planRequest, type PlannedRequest } from './requests.js';

/** Where nginx's packages have the list of variables that it sends. */
export const UWSGI_PARAMS = '/etc/nginx/uwsgi_params';

const HTTP_1_1 = 'proxy_http_version 1.1; proxy_set_header Connection "";';

export interface Fronts {
  uwsgi: string;
  proxy: string;
}

export interface FrontOptions {
  transport?: 'native' | 'js';
  handler?: http.RequestListener;
  /** Further lines of nginx's configuration, for both. */
  lines?: readonly string[];
  /** Lines for proxy_pass beside the Host. Default: HTTP/1.1, by which answers have their Content-Length. */
  proxyLines?: string;
}

/** What the two protocols bring differently is left out: docs/uwsgi.md has the list. */
const sameForBoth: Differences = (seen) => {
  const headers = Object.entries(seen.headers).filter(([name]) => name !== 'connection');
  // The order in which they come is nobody's concern.
  headers.sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...seen, httpVersion: '', headers: Object.fromEntries(headers) };
};

/** Debian's list has HTTP_HOST without the port and in lower case (`$host`); that of nginx itself has the client's. */
function withClientsHost(params: string): string {
  return params.replace(/^uwsgi_param +HTTP_HOST .*$/m, '');
}

/** Starts all of it; it ends with the test. */
export async function startFronts(command: string, options: FrontOptions = {}): Promise<Fronts> {
  const directory = temporaryDirectory();
  const at = (name: string): string => join(directory, `${name}.sock`);
  const { handler = echo(sameForBoth), lines = [], proxyLines = HTTP_1_1 } = options;
  const uwsgi = createServer({ transport: options.transport }, handler).listen(at('app-uwsgi'));
  const proxy = http.createServer(handler).listen(at('app-http'));
  await Promise.all([once(uwsgi, 'listening'), once(proxy, 'listening')]);
  cleanup(() => {
    uwsgi.close();
    uwsgi.closeAllConnections();
    proxy.close();
    proxy.closeAllConnections();
  });
  writeFileSync(join(directory, 'uwsgi_params'), withClientsHost(readFileSync(UWSGI_PARAMS, 'utf8')));
  const user = process.getuid?.() === 0 ? 'root' : '';
  await runNginx(command, directory, user, [
    ...lines,
    'client_max_body_size 0;',
    `upstream http_app { server unix:${at('app-http')} max_fails=0; }`,
    `upstream uwsgi_app { server unix:${at('app-uwsgi')} max_fails=0; }`,
    `server { listen unix:${at('proxy')};
       location / { proxy_pass http://http_app; proxy_set_header Host $http_host; ${proxyLines} } }`,
    `server { listen unix:${at('uwsgi')}; location / { include uwsgi_params; uwsgi_pass uwsgi_app; } }`,
  ]);
  return { uwsgi: at('uwsgi'), proxy: at('proxy') };
}

export interface Answered {
  status: string;
  rawHeaders: string[];
  trailers: string[];
  body: Buffer;
}

/** One request by node:http. */
export async function ask(socketPath: string, agent: http.Agent | false, planned: PlannedRequest): Promise<Answered> {
  const { method, path, body, chunks } = planned;
  const headers = [...planned.headers];
  if (chunks > 0) headers.push('Transfer-Encoding', 'chunked');
  else if (body.length > 0) headers.push('Content-Length', String(body.length));
  const request = http.request({ socketPath, agent, method, path, headers });
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
  for (let i = 1; i < chunks; i++)
    request.write(body.subarray(((i - 1) * body.length) / chunks, (i * body.length) / chunks));
  request.end(body.subarray(chunks > 0 ? ((chunks - 1) * body.length) / chunks : 0));
  const [response] = await answered;
  const parts: Buffer[] = [];
  response.on('data', (part: Buffer) => parts.push(part));
  await once(response, 'end');
  const { httpVersion, statusCode, statusMessage, rawHeaders, rawTrailers } = response;
  const status = `HTTP/${httpVersion} ${String(statusCode)} ${String(statusMessage)}`;
  return { status, rawHeaders, trailers: rawTrailers, body: Buffer.concat(parts) };
}

/**
 * By uwsgi_pass the handler's own Date comes through, in its place; by proxy_pass nginx puts its own. There must be one,
 * and the second in which an answer was made is no part of it.
 */
function withoutDate({ rawHeaders, ...rest }: Answered): Answered {
  const at = rawHeaders.indexOf('Date');
  if (at < 0 || Number.isNaN(Date.parse(rawHeaders[at + 1] ?? ''))) return { ...rest, rawHeaders };
  return { ...rest, rawHeaders: [...rawHeaders.toSpliced(at, 2), 'Date', '<date>'] };
}

/** A long run says now and then that it goes on. */
const TELL_EVERY = 10_000;

export interface Outcome {
  compared: number;
  bytes: number;
  /** What was asked, and what differs, in words. */
  differences: string[];
}

/** An answer as text, as far as a reader wants to see it. */
function shown({ status, rawHeaders, trailers, body }: Answered): string[] {
  const headers = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${String(rawHeaders[i + 1])}`] : []));
  const text = body.toString('latin1', 0, 3000).replaceAll('","', '",\n"').split('\n');
  return [status, ...headers, ...trailers, `${String(body.length)} bytes`, ...text].map((line) => line.slice(0, 300));
}

function differenceOf(number: number, request: PlannedRequest, uwsgi: Answered, proxy: Answered): string | undefined {
  const { body: a, ...headA } = uwsgi;
  const { body: b, ...headB } = proxy;
  if (JSON.stringify(headA) === JSON.stringify(headB) && a.equals(b)) return undefined;
  const [ours, theirs] = [shown(uwsgi), shown(proxy)];
  const order = [uwsgi, proxy].map(({ rawHeaders }) => rawHeaders.filter((_, i) => i % 2 === 0).join(' '));
  const lines = [
    ...(order[0] === order[1] ? [] : order),
    ...ours.filter((line) => !theirs.includes(line)).map((line) => `uwsgi ${line}`),
    ...theirs.filter((line) => !ours.includes(line)).map((line) => `proxy ${line}`),
  ];
  return [`${String(number)}: ${request.method} ${request.path}`, ...lines].join('\n');
}

/** Asks both for `count` requests from this seed, `abreast` at a time; stops at a few differences. */
export async function compareFronts(fronts: Fronts, count: number, seed: number, abreast = 8): Promise<Outcome> {
  const outcome: Outcome = { compared: 0, bytes: 0, differences: [] };
  const agents = [new http.Agent({ keepAlive: true }), new http.Agent({ keepAlive: true })] as const;
  const random = randomOf(seed);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && outcome.differences.length < 3) {
      const number = next++;
      const request = planRequest(random, number);
      const answers = await Promise.all([ask(fronts.uwsgi, agents[0], request), ask(fronts.proxy, agents[1], request)]);
      const [uwsgi, proxy] = [withoutDate(answers[0]), withoutDate(answers[1])];
      const difference = differenceOf(number, request, uwsgi, proxy);
      if (difference !== undefined) outcome.differences.push(difference);
      outcome.compared++;
      if (outcome.compared % TELL_EVERY === 0) console.log(`${String(outcome.compared)} compared`);
      outcome.bytes += request.body.length + uwsgi.body.length;
    }
  };
  await Promise.all(Array.from({ length: abreast }, work));
  for (const agent of agents) agent.destroy();
  return outcome;
}
