/**
 * Records what the objects of a scenario go through, so that one transport can be compared with another.
 *
 * The two ends of a connection interleave by chance, so each object has a record of its own. An entry says how it came
 * after the one before it (`sync`: in the same call, `tick`: in ticks or microtasks that followed, `later`: in a callback
 * of its own from the loop), what happened, in which async context, and what of the object's state had changed by then.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import { Server, Socket } from 'node:net';
import { observe, type Emit, type Observer } from './observed-emit.js';

/** Ticks that follow each other belong to one callback of the loop; no chain of them in streams is as long as this. */
const LONGEST_CHAIN = 12;

/** Noise of the emitter itself. */
const UNTOLD = new Set<string | symbol>(['newListener', 'removeListener']);
/** How often these come is decided by how the kernel cuts the bytes; a run of them is one entry. */
const READING = new Set<string | symbol>(['data', 'readable']);

const ERROR_FIELDS = ['code', 'errno', 'syscall', 'address', 'port', 'localAddress', 'host'] as const;

const SOCKET_STATE = [
  'readyState',
  'pending',
  'connecting',
  'destroyed',
  'closed',
  'readable',
  'readableFlowing',
  'readableEnded',
  'readableLength',
  'writable',
  'writableEnded',
  'writableFinished',
  'writableLength',
  'writableNeedDrain',
  'writableCorked',
  'bytesRead',
  'bytesWritten',
  'bufferSize',
  'timeout',
  'allowHalfOpen',
] as const;
const SERVER_STATE = ['listening', '_connections', 'maxConnections'] as const;

export type StateField = (typeof SOCKET_STATE)[number];

/** Entries of each object, by its name. */
export type Entries = Record<string, string[]>;

function isReading(event: string | symbol | undefined): boolean {
  return event !== undefined && READING.has(event);
}

function describe(value: unknown): string {
  if (value instanceof Error) return describeError(value);
  if (Buffer.isBuffer(value)) return `<${String(value.length)} bytes>`;
  if (typeof value === 'string')
    return value.length > 60 ? `<${String(value.length)} characters>` : JSON.stringify(value);
  if (value instanceof Socket) return '<socket>';
  if (value instanceof Server) return '<server>';
  if (typeof value === 'function') return '<function>';
  if (typeof value === 'object' && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) {
      return `<${value.constructor.name}>`;
    }
    return JSON.stringify(value);
  }
  return String(value);
}

function describeError(error: Error): string {
  const fields = error as unknown as Record<string, unknown>;
  const told = ERROR_FIELDS.filter((name) => fields[name] !== undefined).map(
    (name) => `${name}=${String(fields[name])}`,
  );
  const inner = error instanceof AggregateError ? error.errors.map(describe) : [];
  return `${error.name} "${error.message}" {${[...told, ...inner].join(' ')}}`;
}

/** The state of one watched object, and how far the loop has come since its last entry. */
class Track {
  readonly entries: string[] = [];
  private readonly object: object | undefined;
  private readonly fields: readonly string[];
  private state = new Map<string, string>();
  private chain = LONGEST_CHAIN;
  private generation = 0;
  private lastEvent: string | symbol | undefined;

  constructor(object: object | undefined, left: ReadonlySet<string>) {
    this.object = object;
    const all = object instanceof Socket ? SOCKET_STATE : object instanceof Server ? SERVER_STATE : [];
    this.fields = all.filter((name) => !left.has(name));
  }

  add(what: string, store: string | undefined, event?: string | symbol): void {
    const repeats = isReading(event) && isReading(this.lastEvent);
    this.lastEvent = event;
    if (repeats) {
      // What has changed meanwhile is told with the entry after the last of them.
      this.mark();
      return;
    }
    const distance = this.chain === 0 ? 'sync' : this.chain < LONGEST_CHAIN ? 'tick' : 'later';
    const context = store === undefined ? '' : ` in ${store}`;
    // How much is read at once is decided by how the kernel cuts the bytes as well: the next entry tells it.
    const fields = isReading(event) ? this.fields.filter((name) => name !== 'bytesRead') : this.fields;
    this.entries.push([distance, what + context, ...this.changes(fields)].join(' | '));
    this.mark();
  }

  private changes(fields: readonly string[]): string[] {
    const changed: string[] = [];
    for (const name of fields) {
      const value = describe((this.object as Record<string, unknown>)[name]);
      if (this.state.get(name) === value) continue;
      this.state.set(name, value);
      changed.push(`${name}=${value}`);
    }
    return changed;
  }

  private mark(): void {
    this.chain = 0;
    const generation = ++this.generation;
    const step = (): void => {
      if (generation !== this.generation) return;
      if (++this.chain < LONGEST_CHAIN) this.schedule(step);
    };
    this.schedule(step);
    // Whichever of the two queues is emptied first ends the call.
    queueMicrotask(() => {
      if (generation === this.generation && this.chain === 0) this.chain = 1;
    });
  }

  /** Ticks and microtasks in turns: an entry in either is seen as one. */
  private schedule(step: () => void): void {
    if (this.chain % 2 === 0) process.nextTick(step);
    else queueMicrotask(step);
  }
}

export class Recorder {
  readonly storage = new AsyncLocalStorage<string>();
  private readonly tracks = new Map<string, Track>();
  private readonly names = new Map<object, string>();
  private readonly replacements: [string, string][] = [];
  private readonly ignored = new Set<string | symbol>(UNTOLD);
  private readonly left = new Set<string>();
  private fromBelow = false;
  private contexts = true;
  private distances = true;

  /** Objects that are watched from now on keep their own `emit`. */
  watchFromBelow(): void {
    this.fromBelow = true;
  }

  /** Leaves these fields of sockets out: for scenarios where chance decides on them. */
  leaveOut(...fields: StateField[]): void {
    for (const field of fields) this.left.add(field);
  }

  /** Leaves out in which async context entries come: for scenarios where chance decides on whether a write is under way. */
  leaveOutContexts(): void {
    this.contexts = false;
  }

  /** Leaves out how entries come after each other: for what is written inside an event, which calls back later than node's. */
  leaveOutDistances(): void {
    this.distances = false;
  }

  private get context(): string | undefined {
    return this.contexts ? this.storage.getStore() : undefined;
  }

  /** Leaves these events out. */
  ignore(...events: string[]): void {
    for (const event of events) this.ignored.add(event);
  }

  /** Has this text, a path or a port, stand as `name` in the record. */
  hide(text: string, name: string): void {
    this.replacements.push([text, name]);
  }

  /** Records every event of this object from now on, and tells `onEvent` of each. */
  watch<T extends EventEmitter>(name: string, object: T, onEvent?: (event: string | symbol) => void): T {
    if (this.tracks.has(name)) throw new Error(`There is a ${name} already`);
    const track = new Track(object, this.left);
    this.tracks.set(name, track);
    this.names.set(object, name);
    const observer: Observer = (event, args) => {
      onEvent?.(event);
      // 'readable' without a listener tells nobody anything; when it is emitted all the same is the stream's affair.
      const told = !this.ignored.has(event) && (event !== 'readable' || object.listenerCount(event) > 0);
      if (told) track.add(this.eventText(event, args), this.context, event);
    };
    if (this.fromBelow) {
      observe(object, observer);
      return object;
    }
    const emit = object.emit.bind(object) as Emit;
    const recorded: Emit = (event, ...args) => {
      observer(event, args);
      return emit(event, ...args);
    };
    Object.defineProperty(object, 'emit', { value: recorded, configurable: true, writable: true });
    return object;
  }

  private eventText(event: string | symbol, args: unknown[]): string {
    const shown = READING.has(event) ? '' : args.map(describe).join(', ');
    return this.clean(`'${String(event)}'(${shown})`);
  }

  private trackOf(object: object | string): Track {
    const name = typeof object === 'string' ? object : this.names.get(object);
    if (name === undefined) throw new Error('This object is not watched');
    let track = this.tracks.get(name);
    if (track === undefined) this.tracks.set(name, (track = new Track(undefined, this.left)));
    return track;
  }

  /** Notes a value, such as what a call returned, among the entries of this object or name. */
  note(object: object | string, label: string, value?: unknown): void {
    const shown = value === undefined ? label : `${label}: ${describe(value)}`;
    this.trackOf(object).add(this.clean(shown), this.context);
  }

  /** A callback that notes its call and its arguments, and then runs `then`. */
  callback(object: object | string, label: string, then?: () => void): (...args: unknown[]) => void {
    return (...args) => {
      this.trackOf(object).add(this.clean(`${label}(${args.map(describe).join(', ')})`), this.context);
      then?.();
    };
  }

  /** Calls, and notes what that returns or throws. */
  try(object: object | string, label: string, call: () => unknown): void {
    let outcome: unknown;
    try {
      outcome = call();
    } catch (error) {
      this.note(object, `${label} throws`, error);
      return;
    }
    this.note(object, label, outcome === this.objectOf(object) ? 'itself' : outcome);
  }

  private objectOf(object: object | string): object | undefined {
    return typeof object === 'string' ? undefined : object;
  }

  /** Runs this in an async context of this name. */
  within<T>(name: string, call: () => T): T {
    return this.storage.run(name, call);
  }

  private clean(text: string): string {
    let result = text.replaceAll(/"remotePort":\d+/g, '"remotePort":<port>');
    for (const [from, to] of this.replacements) result = result.replaceAll(from, to);
    return result;
  }

  /** What has been noted so far. */
  get record(): Entries {
    const shown = (entry: string): string => (this.distances ? entry : entry.slice(entry.indexOf('|') + 2));
    return Object.fromEntries([...this.tracks].map(([name, { entries }]) => [name, entries.map(shown)]));
  }
}
