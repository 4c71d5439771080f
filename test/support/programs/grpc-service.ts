/** A gRPC service that carries bytes as they are. */
import type { Writable } from 'node:stream';
import type { MethodDefinition } from '@grpc/grpc-js';

const same = (bytes: Buffer): Buffer => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/nearwire.Programs/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

export const SERVICE = {
  echo: method('Echo', false, false),
  bytes: method('Bytes', false, false),
  stats: method('Stats', false, false),
  stream: method('Stream', false, true),
  upload: method('Upload', true, false),
};

/** A call as the stream that it is: its types ask for more than a Writable's callers give. */
export function asWritable(call: unknown): Writable {
  return call as Writable;
}
