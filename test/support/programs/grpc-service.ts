/** A gRPC service that carries bytes as they are. */
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
