/** What sets a native socket apart from any other stream: the fields that its constructor makes. */
import { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.js';
import { socketSettings, streamOptions } from './socket-options.js';
import { NativeSocket } from './socket.js';

/**
 * Gives a stream those that `new NativeSocket` would have, but for its settings, each by its name: with more than twelve through
 * `Object.assign` V8 keeps the socket as a dictionary, in which each look at a field takes ten times as long.
 */
export function addNativeFields(stream: object): void {
  const fields = stream as Record<string, unknown>;
  fields.connecting = false;
  fields.server = null;
  fields._server = null;
  fields._connection = undefined;
  fields._idle = undefined;
  fields._settings = undefined;
  fields._unreferenced = false;
  fields._peerName = undefined;
  fields._ownName = undefined;
  fields._sentAhead = undefined;
  fields._held = undefined;
  fields._heldLength = 0;
  fields._earlyWrite = undefined;
  fields._closingSoon = false;
  fields._plainStrings = true;
  fields._endTold = false;
  fields._resetting = false;
  fields._closedByError = false;
  fields._earlyRead = false;
  fields._attempting = false;
}

let names: readonly string[] | undefined;

/** The names of all of them. */
export function nativeFields(engine: Engine): readonly string[] {
  if (names !== undefined) return names;
  const streams = new Set(Object.keys(new Duplex()));
  const blank = new NativeSocket(socketSettings(engine, undefined), streamOptions(undefined));
  return (names = Object.keys(blank).filter((name) => !streams.has(name)));
}
