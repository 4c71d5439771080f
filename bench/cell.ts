/** One run of one subject in one series: start the server, start the client, measure, end both. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type {
  BenchCase,
  Change,
  Latency,
  LoadResult,
  MicroCase,
  Outcome,
  Params,
  PeerCase,
  Sample,
  Series,
  SubjectName,
  Values,
} from './model.js';
import { isMessage, numberOf, Peer, PeerError, type Message, type Program } from './peer.js';
import { onCore } from './placement.js';
import { subjectNamed, type Subject } from './subjects.js';
import { floorPattern } from './work/pattern.js';

/** To start, to listen, to answer a word: what takes longer has hung. */
const ANSWER_MS = 10_000;
/** The client of `idle` opens 10,000 connections before it is warm; over a full backlog that is retries on a timer. */
const CONNECT_MS = 60_000;

/** Of the length of a stretch. What is due within it is asked and answered, however long that takes. */
const FELL_BEHIND = 1.2;

export interface CellContext {
  readonly lineup: readonly Subject[];
  readonly floor: string | undefined;
  /** A folder of this run's own, for socket files. */
  readonly folder: string;
  /** The core for cases that want both ends on one. */
  readonly core: number | undefined;
  readonly signal: AbortSignal;
}

/** How long a cell warms up and measures, in seconds. */
export interface Timing {
  readonly warmup: number;
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
  if (benchCase.kind === 'micro') return runMicro(benchCase, series, subjects, round, timing, context);
  const [subject = ''] = subjects;
  const outcome = await runPeers(benchCase, series, subject, round, timing, context);
  return [
    {
      round,
      subject,
      values: known(benchCase.evaluate(outcome)),
      ...(benchCase.asksMemory ? {} : sharesOf(outcome)),
      ...(timing.offered === undefined ? {} : { behind: outcome.load.seconds > FELL_BEHIND * timing.seconds }),
    },
  ];
}

/** Without what could not be measured. */
function known(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !Number.isNaN(value)));
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
  common.push(...commandWords({ ...benchCase.words, ...series.params }));
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
      ...['--address', listening],
      ...(subject.server?.clientWords(benchCase.name) ?? []),
      ...['--warmup', String(timing.warmup), '--seconds', String(timing.seconds)],
      // The same schedule for all subjects of a round, and another one in the next.
      ...(timing.offered === undefined ? [] : ['--rate', String(timing.offered), '--seed', String(round)]),
    ]);
    await client.expect('warm', CONNECT_MS + timing.warmup * 1e3);
    const setupMs = performance.now() - startedAt;
    const before = await memoryOf(server, benchCase);
    const cpuBefore = await server.ask('cpu', ANSWER_MS);
    client.say('go');
    const { result } = await client.expect('result', ANSWER_MS + timing.seconds * 1e3);
    const serverCpu = (await server.ask('cpu', ANSWER_MS)) - cpuBefore;
    const memory = empty ? between(empty, before) : between(before, await memoryOf(server, benchCase));
    const load = loadResult(result);
    if (load.errors > 0) throw new PeerError(`client of ${label}: ${String(load.errors)} errors${client.complaint}`);
    if (load.operations === 0 && !benchCase.asksMemory) throw new PeerError(`client of ${label}: nothing was done`);
    return { params: series.params, load, serverCpu, setupMs, ...memory };
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

type Role = 'serve' | 'load';

/** One end of a case, as its own process. */
function peerOf(
  role: Role,
  by: Subject,
  words: readonly string[],
  label: string,
  { sharesCore }: PeerCase,
  { floor, core, signal }: CellContext,
): Peer {
  const anywhere = programOf(by, floor);
  const program = sharesCore && core !== undefined ? onCore(anywhere, core) : anywhere;
  const { name, program: kind, words: own = {}, worker = name } = by;
  const subjectWords = kind === 'floor' ? commandWords(own) : ['--subject', worker, ...commandWords(own)];
  return new Peer(
    label,
    program,
    [role, ...words, ...(role === 'serve' || kind === 'worker' ? subjectWords : [])],
    signal,
  );
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

/** Of work inside one process: all subjects in turn, but for those that can't do this. */
async function runMicro(
  benchCase: MicroCase,
  { params }: Series,
  subjects: readonly SubjectName[],
  round: number,
  timing: Timing,
  context: CellContext,
): Promise<Sample[]> {
  const words = [...commandWords(params), '--subjects', subjects.join(','), '--seconds', String(timing.seconds)];
  const peer = new Peer(benchCase.name, workerProgram('micro/main.js'), words, context.signal);
  try {
    const { result } = await peer.expect('result', ANSWER_MS + subjects.length * timing.seconds * 1e3);
    if (!isMessage(result)) throw new PeerError('the micro case told no object');
    return Object.entries(result).map(([subject, told]) => {
      if (!isMessage(told)) throw new PeerError(`the micro case told no object of ${subject}`);
      return { round, subject, values: { time: numberOf(told, 'time') }, rme: numberOf(told, 'rme') };
    });
  } finally {
    await peer.stop();
  }
}

function programOf({ program, node }: Subject, floor: string | undefined): Program {
  if (program !== 'floor') return workerProgram('worker.js', node?.program);
  if (floor === undefined) throw new PeerError('the plain C program is not built');
  return { command: floor, args: [] };
}

function workerProgram(file: string, node = process.execPath): Program {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return { command: node, args: ['--expose-gc', path] };
}

/** `{ keepAlive: true }` as `--keep-alive 1`. */
export function commandWords(params: Params): string[] {
  return Object.entries(params).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    typeof value === 'boolean' ? String(Number(value)) : String(value),
  ]);
}

function sharesOf({ load, serverCpu }: Outcome): Pick<Sample, 'clientShare' | 'serverShare'> {
  const share = (cpu: number): number => cpu / (load.seconds * 1e6);
  return {
    clientShare: share(load.clientCpu),
    ...(Number.isNaN(serverCpu) ? {} : { serverShare: share(serverCpu) }),
  };
}

function loadResult(value: unknown): LoadResult {
  if (!isMessage(value)) throw new PeerError(`a result is an object, not ${JSON.stringify(value)}`);
  return {
    seconds: numberOf(value, 'seconds'),
    operations: numberOf(value, 'operations'),
    errors: numberOf(value, 'errors'),
    clientCpu: numberOf(value, 'clientCpu'),
    ...('bytes' in value ? { bytes: numberOf(value, 'bytes') } : {}),
    ...('failed' in value ? { failed: numberOf(value, 'failed') } : {}),
    ...(isMessage(value['latency']) ? { latency: latencyResult(value['latency']) } : {}),
  };
}

function latencyResult(message: Message): Latency {
  return {
    count: numberOf(message, 'count'),
    p50: numberOf(message, 'p50'),
    p90: numberOf(message, 'p90'),
    p99: numberOf(message, 'p99'),
    p999: numberOf(message, 'p999'),
    max: numberOf(message, 'max'),
  };
}
