/** All that can be written, in every form. */
import { Page } from 'nearwire';
import type { Channel } from 'nearwire/channel';
import { rangeOf } from '../files.js';
import { table } from './content.js';
import type { End } from './end.js';
import type { Write } from './program.js';

/** Up to this many bytes the channel copies. */
export const COPIED = 8192;
/** What a Buffer is filled with once it may be used again. */
export const USED_AGAIN = 0xee;

/** One call of `write` or `writev`. */
export interface Attempt {
  /** What must arrive. */
  expected: readonly Buffer[];
  /** What is used again as soon as it may be. */
  memory: readonly Buffer[];
  call: () => boolean;
}

const PIECES = [COPIED, 5000, 8191, 700];

/** The ways to write what has been lent. */
export function* lendable(
  data: Buffer,
  start: number,
  end: number,
  taken: readonly Buffer[],
  by: 'lent' | 'view' | 'copy',
  channel: () => Channel,
): Generator<Attempt> {
  if (by === 'copy') {
    const copy = Buffer.from(data.subarray(start, end));
    yield { expected: taken, memory: [copy], call: () => channel().write(copy) };
    return;
  }
  const whole = Buffer.concat(taken);
  for (let from = start, i = 0; from < end; i++) {
    const piece = i % 2 === 0 ? end - start : (PIECES[i % PIECES.length] as number);
    const to = Math.min(from + piece, end);
    const at = from;
    const view = data.subarray(at, to);
    const call = (): boolean => (by === 'view' ? channel().write(view) : channel().write(data, at, to));
    yield { expected: [whole.subarray(at - start, to - start)], memory: [], call };
    from = to;
  }
}

export function writeForm(end: End, { form, length }: Write): void {
  switch (form) {
    case 'string': {
      const text = end.source.takeText(length);
      end.attempt({ expected: [Buffer.from(text)], memory: [], call: () => end.channel.write(text) });
      break;
    }
    case 'buffer': {
      const { bytes } = end.source.take(length);
      const memory = Buffer.from(bytes);
      end.attempt({ expected: [bytes], memory: [memory], call: () => end.channel.write(memory) });
      break;
    }
    case 'range': {
      const { bytes } = end.source.take(length);
      const memory = Buffer.concat([Buffer.alloc(99, 1), bytes, Buffer.alloc(9, 2)]);
      const call = (): boolean => end.channel.write(memory, 99, 99 + length);
      end.attempt({ expected: [bytes], memory: [memory], call });
      break;
    }
    case 'repeated':
      writeRepeated(end);
      break;
    case 'writev':
      writeParts(end, length);
      break;
    case 'page': {
      const { bytes } = end.source.take(length);
      const page = Page.from(bytes);
      end.attempt({ expected: [bytes], memory: [], call: () => end.channel.write(page) });
      break;
    }
    case 'page range': {
      const { bytes } = end.source.take(length);
      const [from, to] = [length >> 2, length - (length >> 3)];
      const page = Page.from(bytes);
      end.attempt({ expected: [bytes.subarray(from, to)], memory: [], call: () => end.channel.write(page, from, to) });
      break;
    }
    case 'file':
    case 'descriptor':
    case 'slow file':
    case 'missing file':
      sendFile(end, form, length);
      break;
  }
}

/** The same Buffer each time, with other bytes, if it may be used again. */
function writeRepeated(end: End): void {
  const { repeated } = end;
  if (end.lent.includes(repeated)) return;
  const { bytes } = end.source.take(repeated.length);
  bytes.copy(repeated);
  end.attempt({ expected: [bytes], memory: [repeated], call: () => end.channel.write(repeated) });
}

function writeParts(end: End, length: number): void {
  const parts: (Buffer | string)[] = [];
  const expected: Buffer[] = [];
  const memory: Buffer[] = [];
  for (let left = length, i = 0; left > 0; i++) {
    const size = i === 5 ? left : Math.ceil(left / 3);
    left -= size;
    const { bytes, offset } = end.source.take(size);
    if (offset % 5 === 0) {
      parts.push(Page.from(bytes));
    } else if (offset % 5 === 1) {
      const text = bytes.toString('base64', 0, 300);
      parts.push(text);
      expected.push(Buffer.from(text));
      continue;
    } else {
      const part = Buffer.from(bytes);
      parts.push(part);
      memory.push(part);
    }
    expected.push(bytes);
  }
  end.attempt({ expected, memory, call: () => end.channel.writev(parts) });
}

function sendFile(end: End, form: 'file' | 'descriptor' | 'slow file' | 'missing file', length: number): void {
  const { world } = end;
  const { path, slowPath, descriptor } = world.file;
  const missing = form === 'missing file';
  const name = { file: path, descriptor, 'slow file': slowPath, 'missing file': `${path}.not` }[form];
  const { offset } = end.source.take(length);
  const sent = end.channel.sendFile(name, rangeOf(offset, length));
  end.filesBegun++;
  // Whether it has ended by itself, with its peer, is told of no file before the next microtask.
  const hasEnded = end.hasEndedByItself();
  sent.then(
    (bytes) => {
      if (bytes !== length) world.fail(`${end.name}: ${String(bytes)} bytes of a file, not ${String(length)}`);
      settle();
    },
    (error: unknown) => {
      settle((error as NodeJS.ErrnoException).code);
    },
  );
  const settle = (code?: string): void => {
    end.filesSettled++;
    world.note(`${end.name}: ${form} ${String(length)} ${code ?? 'sent'}`);
    if (hasEnded && code === 'ERR_STREAM_WRITE_AFTER_END') return;
    const isCut = end.isDestroyed || end.isClosed || end.peer.isDestroyed || end.peer.errors > 0;
    if (!(code === undefined && !missing) && !(code === 'ENOENT' && missing) && !isCut) {
      world.fail(`${end.name}: ${form} settles with ${code ?? 'no error'}`);
    }
  };
  if (!missing && !hasEnded) end.expectFile(table.subarray(offset, offset + length));
}
