/** One run of one subject in one series: start the server, start the client, measure, end both. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';

import { commandWords, peerOf, type ProcessContext, type Role } from './cell-processes.js';
import { loadResult } from './load-result.js';
import { runMicro } from './micro-cell.js';
import type {
  BenchCase,
  Change,
  LoadResult,
  Outcome,
  Params,
  PeerCase,
  Sample,
  Series,
  SubjectName,
  Values,
} from './model.js';
import { numberOf, Peer, PeerError, type Message } from './peer.js';
import type { CellWarmUp } from './plan.js';
import { subjectNamed, type Subject } from './subjects.js';
import { warmUp, type WarmUp, type WarmUpWindow } from './warm-up.js';
import { floorPattern } from './work/pattern.js';

/** To start, to listen, to answer a word: what takes longer has hung. */
const ANSWER_MS = 10_000;
/** The client of `idle` opens 10,000 connections before it is warm; over a full backlog that is retries on a timer. */
const CONNECT_MS = 60_000;

/** Of the length of a stretch. What is due within it is asked and answered, however long that takes. */
const FELL_BEHIND = 1.2;
/** Of the requests due. Some that are due just before the end may find all connections at work. */
const LOST = 0.01;

export interface CellContext extends ProcessContext {
  readonly lineup: readonly Subject[];
  /** A folder of this run's own, for socket files. */
  readonly folder: string;
}

/** How long a cell warms up and measures. */
export interface Timing {
  readonly warmUp: CellWarmUp;
  readonly seconds: number;
  /** Requests that are due a second, of an open loop. */
  readonly offered?: number;
}

/** The subjects of a round that one call of `runCell` measures: each of them, or those of one process together. */
export function cellsOfTurn({ kind }: BenchCase, subjects: readonly SubjectName[]): (readonly SubjectName[])[] {
  return kind === 'micro' ? [subjects] : subjects.map((subject) => [subject]);
}

export async function runCell(
  series: Series,
  subjects: readonly SubjectName[],
  round: number,
  timing: Timing,
  context: CellContext,
): Promise<Sample[]> {
  const { case: benchCase } = series;
  if (benchCase.kind === 'micro') return runMicro(benchCase, series, subjects, round, timing.seconds, context);
  const [subject = ''] = subjects;
  const outcome = await runPeers(benchCase, series, subject, round, timing, context);
  const { load, warmUp: warmed } = outcome;
  return [
    {
      round,
      subject,
      values: known(benchCase.evaluate(outcome)),
      ...(benchCase.asksMemory ? {} : sharesOf(outcome)),
      ...(timing.offered === undefined ? {} : { behind: isBehind(load, timing.seconds) }),
      ...(load.latency && { latency: load.latency }),
      ...(warmed ? { warmUp: warmed } : {}),
    },
  ];
}

/** Without what could not be measured. */
function known(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !Number.isNaN(value)));
}

function isBehind({ seconds, due }: LoadResult, planned: number): boolean {
  return seconds > FELL_BEHIND * planned || (due !== undefined && due.lost > LOST * due.requests);
}

/** Operations a second that a subject does at most: in a closed loop, whatever the case offers. */
export async function maximumOf(
  benchCase: PeerCase,
  series: Series,
  subject: SubjectName,
  timing: Omit<Timing, 'offered'>,
  context: CellContext,
): Promise<number> {
  const { load } = await runPeers(benchCase, series, subject, 0, timing, context);
  return load.operations / load.seconds;
}

/** Of the one socket at a time. */
export const SOCKET_NAME = 's';

/** The file that a server is given, made when it is first asked for. */
function servedFile(folder: string, { bytes }: Params): string {
  if (typeof bytes !== 'number') throw new TypeError('a case with a file names its bytes');
  const file = join(folder, `body-${String(bytes)}`);
  if (!existsSync(file)) writeFileSync(file, floorPattern(bytes));
  return file;
}

async function runPeers(
  benchCase: PeerCase,
  series: Series,
  name: SubjectName,
  round: number,
  timing: Timing,
  context: CellContext,
): Promise<Outcome> {
  const label = `${benchCase.name} ${name} over ${series.family}`;
  const address = series.family === 'unix' ? join(context.folder, SOCKET_NAME) : '127.0.0.1:0';
  const common = ['--case', benchCase.name, '--family', series.family];
  // The share of a maximum is a rate, for the peers.
  const params = Object.fromEntries(Object.entries(series.params).filter(([param]) => param !== 'load'));
  common.push(...commandWords({ ...benchCase.words, ...params }));
  const peers: Peer[] = [];
  const subject = subjectNamed(name, context.lineup);
  const start = (role: Role, by: Subject, words: readonly string[]): Peer => {
    const peer = peerOf(
      role,
      by,
      [...common, ...words],
      `${role === 'serve' ? 'server' : 'client'} of ${label}`,
      benchCase,
      context,
    );
    peers.push(peer);
    return peer;
  };
  try {
    const served = benchCase.needsFile ? ['--file', servedFile(context.folder, series.params)] : [];
    const server = subject.server ?? start('serve', subject, ['--address', address, ...served]);
    const listening = server instanceof Peer ? await addressOf(server) : server.address;
    const opens = benchCase.asksMemory !== undefined && benchCase.asksMemory !== 'stretch';
    const empty = opens ? await memoryOf(server, benchCase) : undefined;
    const startedAt = performance.now();
    const byFloor = benchCase.client === 'floor' || subject.server !== undefined;
    const client = start('load', byFloor ? subjectNamed('c', context.lineup) : subject, [
      ...['--address', listening, ...clientWords(benchCase, series.params, context)],
      ...(subject.server?.clientWords(benchCase.name) ?? []),
      ...['--warmup', String(timing.warmUp.window), '--seconds', String(timing.seconds)],
      // The same schedule for all subjects of a round, and another one in the next.
      ...(timing.offered === undefined ? [] : ['--rate', String(timing.offered), '--seed', String(round)]),
    ]);
    const warmed = await warmClient(client, timing.warmUp);
    const setupMs = performance.now() - startedAt;
    const before = await memoryOf(server, benchCase);
    const cpuBefore = await server.ask('cpu', ANSWER_MS);
    client.say('go');
    const { result } = await client.expect('result', ANSWER_MS + timing.seconds * 1e3);
    const serverCpu = (await server.ask('cpu', ANSWER_MS)) - cpuBefore;
    const memory = empty ? between(empty, before) : between(before, await memoryOf(server, benchCase));
    const load = loadResult(result);
    const errors = load.errors - (load.due?.lost ?? 0);
    if (errors > 0) throw new PeerError(`client of ${label}: ${String(errors)} errors${client.complaint}`);
    if (load.operations === 0 && !benchCase.asksMemory) throw new PeerError(`client of ${label}: nothing was done`);
    return { params: series.params, load, serverCpu, setupMs, ...(warmed ? { warmUp: warmed } : {}), ...memory };
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    // A server that was killed leaves its socket file, and the next one could not bind.
    if (series.family === 'unix') rmSync(address, { force: true });
  }
}

async function addressOf(server: Peer): Promise<string> {
  const { address } = await server.expect('ready', ANSWER_MS);
  if (typeof address !== 'string') throw new PeerError(`a server told no address, but ${String(address)}`);
  return address;
}

function clientWords(benchCase: PeerCase, params: Params, { folder }: CellContext): string[] {
  const body = benchCase.requestBody?.(params);
  const words = commandWords(benchCase.clientWords?.(params) ?? {});
  if (body === undefined) return words;
  const file = join(folder, 'request');
  writeFileSync(file, body);
  return [...words, '--file', file];
}

/** Has the client load the server in windows until an operation's cost is level. Undefined: once is all that is wanted. */
async function warmClient(client: Peer, { window, longest }: CellWarmUp): Promise<WarmUp | undefined> {
  const patience = CONNECT_MS + window * 1e3;
  const costOf = (message: Message): WarmUpWindow => {
    const requests = numberOf(message, 'operations');
    return { requests, cost: numberOf(message, 'seconds') / requests };
  };
  let told: Message | undefined = await client.expect('warm', patience);
  if (longest === undefined) return undefined;
  const nextWindow = async (): Promise<WarmUpWindow> => {
    const first = told;
    told = undefined;
    if (first) return costOf(first);
    client.say('warm');
    return costOf(await client.expect('warm', patience));
  };
  return warmUp(nextWindow, { window, least: 0, longest });
}

/** A process of the cell, or a server that runs already. */
type Answering = Pick<Peer, 'ask'>;

type Memory = Readonly<Partial<Record<'memory' | 'held' | 'system', number>>>;

/** What the case wants to know of the server's memory, and of all that is in use, at this moment. */
async function memoryOf(server: Answering, { asksMemory }: PeerCase): Promise<Memory> {
  if (!asksMemory) return {};
  const memory = await server.ask('memory', ANSWER_MS);
  // Of what could be had at once: on Linux without caches, and with what the kernel holds for sockets.
  if (asksMemory === 'crowd') return { memory, system: totalmem() - freemem() };
  // The C program has no heap to tell of, and is no subject of what is held.
  return asksMemory === 'stretch' ? { memory, held: await server.ask('held', ANSWER_MS) } : { memory };
}

function between(before: Memory, after: Memory): Pick<Outcome, 'memory' | 'held' | 'system'> {
  const changeOf = (name: keyof Memory): Change | undefined => {
    const [from, to] = [before[name], after[name]];
    return from === undefined || to === undefined ? undefined : { before: from, after: to };
  };
  return { memory: changeOf('memory'), held: changeOf('held'), system: changeOf('system') };
}

function sharesOf({ load, serverCpu }: Outcome): Pick<Sample, 'clientShare' | 'serverShare'> {
  const share = (cpu: number): number => cpu / (load.seconds * 1e6);
  return {
    clientShare: share(load.clientCpu),
    ...(Number.isNaN(serverCpu) ? {} : { serverShare: share(serverCpu) }),
  };
}
