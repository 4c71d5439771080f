/**
 * Run by node: calls an application for node:http's (req, res) with no server and no socket around it, and tells what a
 * call takes: one line of JSON. Words: the module, method, path, bytes of the body,
 * seconds.
 */
import { IncomingMessage, ServerResponse, type RequestListener } from 'node:http';
import { Socket } from 'node:net';

import { median } from '../statistics.js';
import { loadApp } from './apps/user-app.js';

const SLICES = 15;
/** By then the compiler is through with what is called often: fewer calls showed up to seven times the CPU. */
const WARM_CALLS = 30_000;
const WARM_SECONDS = 1;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: Buffer;
}

/** One call: genuine objects, whose answer goes nowhere. Its length. */
function callApp(app: RequestListener, { method, path, body }: Call, socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = new IncomingMessage(socket);
    request.method = method;
    request.url = path;
    request.httpVersion = '1.1';
    request.httpVersionMajor = 1;
    request.httpVersionMinor = 1;
    request.headers =
      body.length > 0 ? { host: 'localhost', 'content-length': String(body.length) } : { host: 'localhost' };
    if (body.length > 0) request.push(body);
    request.push(null);
    const response = new ServerResponse(request);
    let sent = 0;
    const count = (chunk: unknown): void => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) sent += Buffer.byteLength(chunk);
    };
    // The object's own, as Express swaps prototypes.
    response.write = (chunk: unknown): boolean => {
      count(chunk);
      return true;
    };
    response.end = (chunk?: unknown): ServerResponse => {
      count(chunk);
      if (response.statusCode === 200) resolve(sent);
      else reject(new Error(`the application answered ${path} with ${String(response.statusCode)}`));
      return response;
    };
    app(request, response);
  });
}

const answerNothing: RequestListener = (_request, response) => {
  response.end();
};

/** Microseconds a call. */
interface Taken {
  readonly time: number;
  readonly cpu: number;
}

/** For so long, or so many calls. */
async function repeat(seconds: number, call: () => Promise<number>, most = Infinity): Promise<Taken> {
  const before = process.cpuUsage();
  const begun = performance.now();
  let count = 0;
  let now = begun;
  while (now < begun + seconds * 1e3 && count < most) {
    await call();
    count++;
    now = performance.now();
  }
  const { user, system } = process.cpuUsage(before);
  return { time: ((now - begun) * 1e3) / count, cpu: (user + system) / count };
}

async function main(): Promise<void> {
  const [file = '', method = '', path = '', size, seconds] = process.argv.slice(2);
  const say = process.stdout.write.bind(process.stdout);
  // What the application prints is not the result.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // Whoever started this holds the other end of stdin: an application that never answers is not to outlive it.
  const run = new Socket({ fd: 0, writable: false });
  run.on('close', () => process.exit(1)).resume();
  run.unref();
  const app = await loadApp(file);
  const socket = new Socket();
  const call = { method, path, body: Buffer.alloc(Number(size), 'x') };
  const bytes = await callApp(app, call, socket);
  for (const warmed of [app, answerNothing])
    await repeat(WARM_SECONDS, () => callApp(warmed, call, socket), WARM_CALLS);
  // Slices in turn, as the host has its moods; and the calling itself, with the objects made for it, is no part of the
  // application.
  const slice = Number(seconds) / SLICES;
  const differences: Taken[] = [];
  for (let i = 0; i < SLICES; i++) {
    const own = await repeat(slice, () => callApp(app, call, socket));
    const empty = await repeat(slice / 2, () => callApp(answerNothing, call, socket));
    differences.push({ time: own.time - empty.time, cpu: own.cpu - empty.cpu });
  }
  const [time, cpu] = (['time', 'cpu'] as const).map((key) => median(differences.map((taken) => taken[key])));
  // An application may hold timers and connections.
  say(`${JSON.stringify({ result: { time, cpu, bytes } })}\n`, () => process.exit());
}

await main();
