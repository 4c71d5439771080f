/** What each web framework serves, so that the same tests can be run on all of them: suite.ts. */
import type { ServeOptions } from 'nearwire/http';
import type { Address } from '../sockets.js';

/** What a test hears from within the app. */
export interface Events {
  /** `/waits` has been asked, or `/upload` has begun to read. */
  asked(): void;
  /** The signal of `/waits` has aborted. */
  aborted(): void;
  /** The stream of `/endless` has been cancelled. */
  cancelled(): void;
  /** `/upload` could not be read to its end. */
  lost(): void;
}

/** What a framework's own server has. */
export interface OwnServer {
  readonly address: Address;
  close(): void;
}

export interface FetchProgram {
  readonly name: string;
  /** Its routes are those of suite.ts. */
  makeApp(events: Events): ServeOptions['fetch'];
  /** The same app on the framework's own server for node, by TCP. undefined: it has none. */
  listen?(events: Events): Promise<OwnServer>;
  /** It has a `/page` of HTML. */
  readonly rendersPages?: boolean;
  /** How its own server differs from what is asked of nearwire's, by the name of the test. */
  readonly ownDiffers?: readonly string[];
}

const encoder = new TextEncoder();

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Three pieces, each in a turn of the event loop of its own. */
export function pieces(): ReadableStream<Uint8Array> {
  const texts = ['one', 'two', 'three'];
  return new ReadableStream({
    async pull(controller) {
      await nextTurn();
      const text = texts.shift();
      if (text === undefined) controller.close();
      else controller.enqueue(encoder.encode(text));
    },
  });
}

export function endless({ cancelled }: Events): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await nextTurn();
      controller.enqueue(new Uint8Array(1000));
    },
    cancel: cancelled,
  });
}

/** Never answers, unless its client goes away. */
export async function waitForAbort({ asked, aborted }: Events, { signal }: Request): Promise<string> {
  const heard = new Promise((resolve) => {
    signal.addEventListener('abort', resolve);
  });
  asked();
  if (!signal.aborted) await heard;
  aborted();
  return 'too late';
}

/** Reads a body that may be cut off. */
export async function countUpload({ asked, lost }: Events, request: Request): Promise<string> {
  const reading = request.arrayBuffer();
  asked();
  try {
    return String((await reading).byteLength);
  } catch {
    lost();
    return 'lost';
  }
}

export type Entries = Record<string, string>;

/** The fields of a form, and for its files name, type, size and bytes. */
export async function entriesOf(request: Request): Promise<Entries> {
  const entries: Entries = {};
  // As programs do; that it has all of the form in memory is of no matter here.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  for (const [name, value] of await request.formData()) {
    if (typeof value === 'string') entries[name] = value;
    else {
      const bytes = Buffer.from(await value.arrayBuffer()).toString('base64');
      entries[name] = `${value.name} ${value.type} ${String(value.size)} ${bytes}`;
    }
  }
  return entries;
}
