/** One run of one subject in one series: start the server, start the client, measure, end both. */
import { appendFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';

import {
  commandWords,
  peerOf,
  workerProgram,
  type CommandWords,
  type ProcessContext,
  type Role,
} from './cell-processes.js';
import type { BenchCase, LoadResult, Memory, Outcome, Params, Sample, Series, SubjectName } from './model.js';
import type { CellWarmUp } from './pacer.js';
import { numberOf, Peer, PeerError } from './peer.js';
import { onCore } from './placement.js';
import { subjectNamed, type Subject } from './subjects.js';
import { warmUp, type WarmUp, type WarmUpWindow } from './warm-up.js';
import { floorPattern } from './work/pattern.js';

/** Starting, listening and replying to a command: anything slower has hung. */
const ANSWER_MS = 10_000;
/**
 * The client of `idle` opens 10,000 connections before it is warm; over a full backlog these are retries on a timer.
 */
const CONNECT_MS = 60_000;

/** Relative to the length of a stretch. Requests due within it are sent and awaited, however long that takes. */
const FELL_BEHIND = 1.2;
/** Share of the requests due. Some that are due just before the end may find all connections busy. */
const LOST = 0.01;

export interface CellContext extends ProcessContext {
  readonly lineup: readonly Subject[];
  /** A folder of this run, for socket files. */
  readonly folder: string;
}

/** How long a cell warms up and measures. */
export interface Timing {
  readonly warmUp: CellWarmUp;
  readonly seconds: number;
  /** Requests due per second in an open loop. */
  readonly offered?: number;
}

export async function runCell(
  series: Series,
  subjects: readonly SubjectName[],
  round: number,
  timing: Timing,
  context: CellContext,
): Promise<Sample[]> {
  const { client, measures, asksMemory } = series.case;
  if (client === 'none') return runMicro(series, subjects, round, timing.seconds, context);
  const [subject = ''] = subjects;
  const outcome = await runPeers(series, subject, round, timing, context);
  const { load, serverCpu, warmUp: warmed } = outcome;
  const values = measures.map((measure) => [measure.name, measure.of?.(outcome) ?? NaN] as const);
  const shareOf = (cpu: number): number => cpu / (load.seconds * 1e6);
  return [
    {
      ...{ round, subject, latency: load.latency, warmUp: warmed },
      values: Object.fromEntries(values.filter(([, value]) => !Number.isNaN(value))),
      ...(!asksMemory && { clientShare: shareOf(load.clientCpu) }),
      ...(!asksMemory && !Number.isNaN(serverCpu) && { serverShare: shareOf(serverCpu) }),
      ...(timing.offered !== undefined && { behind: isBehind(load, timing.seconds) }),
    },
  ];
}

function isBehind(load: LoadResult, planned: number): boolean {
  const { seconds, begun = 0, unsent = 0 } = load;
  return seconds > FELL_BEHIND * planned || lostBy(load) > LOST * (begun + unsent);
}

function lostBy({ unsent = 0, unanswered = 0 }: LoadResult): number {
  return unsent + unanswered;
}

/** The maximum operations per second of a subject: in a closed loop, regardless of the rate that the case offers. */
export async function maximumOf(
  series: Series,
  subject: SubjectName,
  timing: Omit<Timing, 'offered'>,
  context: CellContext,
): Promise<number> {
  const { load } = await runPeers(series, subject, 0, timing, context);
  return load.operations / load.seconds;
}

/** By subject, for those that support it. */
type MicroResult = Readonly<Record<SubjectName, { readonly time: number; readonly rme: number }>>;

/** Work inside one process: all subjects in turn. */
async function runMicro(
  { case: { name }, params }: Series,
  subjects: readonly SubjectName[],
  round: number,
  seconds: number,
  { cores, signal }: ProcessContext,
): Promise<Sample[]> {
  const words = commandWords({ ...params, subjects: subjects.join(','), seconds });
  const peer = new Peer(name, onCore(workerProgram('worker.js'), cores[0]), ['micro', ...words], signal);
  try {
    const { result } = await peer.expect('result', ANSWER_MS + subjects.length * seconds * 1e3);
    return Object.entries(result as MicroResult).map(([subject, { time, rme }]) => ({
      ...{ round, subject, values: { time }, rme },
    }));
  } finally {
    await peer.stop();
  }
}

/** The name of the only socket in use at a time. */
export const SOCKET_NAME = 's';

async function runPeers(
  { case: benchCase, params, family }: Series,
  name: SubjectName,
  round: number,
  { warmUp: warming, seconds, offered }: Timing,
  context: CellContext,
): Promise<Outcome> {
  const label = `${benchCase.name} ${name} over ${family}`;
  const address = family === 'unix' ? join(context.folder, SOCKET_NAME) : '127.0.0.1:0';
  const subject = subjectNamed(name, context.lineup);
  const peers: Peer[] = [];
  const start = (role: Role, by: Subject, own: CommandWords): Peer => {
    // The percentage is passed to the peers as a rate.
    const words = { case: benchCase.name, family, ...benchCase.words, ...params, load: undefined, ...own };
    const whose = `${role === 'serve' ? 'server' : 'client'} of ${label}`;
    const peer = peerOf(role, by, commandWords(words), whose, benchCase, context);
    peers.push(peer);
    return peer;
  };
  try {
    const file = benchCase.needsFile ? servedFile(context.folder, Number(params['bytes'])) : undefined;
    const server = subject.server ?? start('serve', subject, { address, file });
    const listening = server instanceof Peer ? await addressOf(server, address) : server.address;
    const opens = benchCase.asksMemory !== undefined && benchCase.asksMemory !== 'stretch';
    const empty = opens ? await memoryOf(server, benchCase) : undefined;
    const startedAt = performance.now();
    const byFloor = benchCase.client === 'floor' || subject.server !== undefined;
    const client = start('load', byFloor ? subjectNamed('c', context.lineup) : subject, {
      ...{ address: listening, warmup: warming.window, seconds, ...subject.server?.words },
      ...requestWords(benchCase, params, subject.server?.words.path, context),
      // The same schedule for all subjects of a round, and another one in the next.
      ...(offered !== undefined && { rate: offered, seed: round }),
    });
    const warmed = await warmClient(client, warming);
    const setupMs = performance.now() - startedAt;
    const before = await memoryOf(server, benchCase);
    const cpuBefore = await server.ask('cpu', ANSWER_MS);
    client.say('go');
    const { result } = await client.expect('result', ANSWER_MS + seconds * 1e3);
    const serverCpu = (await server.ask('cpu', ANSWER_MS)) - cpuBefore;
    const grown = empty ? between(empty, before) : between(before, await memoryOf(server, benchCase));
    const load = result as LoadResult;
    const errors = load.errors - lostBy(load);
    if (errors > 0) throw new PeerError(`client of ${label}: ${String(errors)} errors${client.complaint}`);
    if (load.operations === 0 && !benchCase.asksMemory) throw new PeerError(`client of ${label}: nothing was done`);
    return { params, load, serverCpu, setupMs, warmUp: warmed, grown };
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    // A killed server leaves its socket file, and the next one could not bind.
    if (family === 'unix') rmSync(address, { force: true });
  }
}

/** The file for a server, created on first use. */
function servedFile(folder: string, bytes: number): string {
  const file = join(folder, `body-${String(bytes)}`);
  if (!existsSync(file)) writeFileSync(file, floorPattern(bytes));
  return file;
}

/** Differs from the requested address if the server chose the port. */
async function addressOf(server: Peer, asked: string): Promise<string> {
  const { address = asked } = await server.expect('ready', ANSWER_MS);
  return String(address);
}

function requestWords(
  benchCase: BenchCase,
  params: Params,
  path: Params[string] = '/',
  { folder }: CellContext,
): CommandWords {
  const { words = {}, body } = benchCase.requestOf?.(params) ?? {};
  if (body === undefined) return words;
  const request = join(folder, 'request');
  const length = Buffer.byteLength(body);
  writeFileSync(
    request,
    `POST ${String(path)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${String(length)}\r\n\r\n`,
  );
  appendFileSync(request, body);
  return { ...words, request };
}

/**
 * Loads the server through the client, window by window, until an operation's cost has levelled off. Undefined: a
 * single window is enough.
 */
async function warmClient(client: Peer, { window, longest }: CellWarmUp): Promise<WarmUp | undefined> {
  let asked = false;
  const nextWindow = async (): Promise<WarmUpWindow> => {
    // The client runs the first window by itself.
    if (asked) client.say('warm');
    asked = true;
    const message = await client.expect('warm', CONNECT_MS + window * 1e3);
    const requests = numberOf(message, 'operations');
    return { requests, cost: numberOf(message, 'seconds') / requests };
  };
  if (longest !== undefined) return warmUp(nextWindow, { window, least: 0, longest });
  await nextWindow();
  return undefined;
}

/** The memory that the case needs to know at this moment: the server's, and that of the whole system. */
async function memoryOf(server: Pick<Peer, 'ask'>, { asksMemory }: BenchCase): Promise<Memory> {
  if (!asksMemory) return {};
  const memory = await server.ask('memory', ANSWER_MS);
  // Memory not available at once: on Linux without caches, and including the kernel's socket buffers.
  if (asksMemory === 'crowd') return { memory, system: totalmem() - freemem() };
  // The C program has no V8 heap, and is not a subject of the cases about retained memory.
  return asksMemory === 'stretch' ? { memory, held: await server.ask('held', ANSWER_MS) } : { memory };
}

function between(before: Memory, after: Memory): Memory {
  const names = ['memory', 'held', 'system'] as const;
  return Object.fromEntries(names.map((name) => [name, (after[name] ?? NaN) - (before[name] ?? NaN)]));
}
