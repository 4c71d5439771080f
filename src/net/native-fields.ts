/** What sets a native socket apart from any other stream: the fields that its constructor makes. */
import { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.js';
import { socketSettings, streamOptions } from './socket-options.js';
import { NativeSocket } from './socket.js';

let fields: [name: string, first: unknown][] | undefined;

/** Their names and first values. */
export function nativeFields(engine: Engine): readonly [name: string, first: unknown][] {
  if (fields !== undefined) return fields;
  const streams = new Set(Object.keys(new Duplex()));
  const blank = new NativeSocket(socketSettings(engine, undefined), streamOptions(undefined));
  return (fields = Object.entries(blank).filter(([name]) => !streams.has(name)));
}
