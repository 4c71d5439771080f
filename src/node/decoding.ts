/** Streams that have been asked for strings. */
import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { isNodesOwn } from './own-method.js';
import { readableState } from './stream-state.js';

const { push } = Readable.prototype;
const nodesDecoder = StringDecoder.prototype as object;
const { write } = StringDecoder.prototype;
/** Node's code hands a piece to the decoder and forgets it; the decoder copies what it does not decode yet. */
const forgetsPieces = isNodesOwn(push, 'readableAddChunk') && isNodesOwn(write, 'kNativeDecoder');

/**
 * Whether a piece of bytes that is pushed into the stream becomes a string within that call, and nothing else ever sees
 * it: so it may be memory that is lent. The copy that is spared is an eighth of the instructions of a posted JSON of 700
 * bytes, handler and all (docs/performance.md, "Bodies that become strings").
 */
export function decodesAtOnce(stream: Readable): boolean {
  const decoder = readableState(stream).decoder as Partial<StringDecoder> | null | undefined;
  return (
    decoder != null &&
    forgetsPieces &&
    Object.getPrototypeOf(decoder) === nodesDecoder &&
    decoder.write === write &&
    stream.push === push
  );
}
