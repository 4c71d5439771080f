import {
  Server,
  ServerCredentials,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
} from '@grpc/grpc-js';
import { bodyOf } from '../bodies.js';
import { asWritable, SERVICE } from '../grpc-service.js';
import type { Observer } from '../observer.js';
import type { Address, Seam } from '../seam.js';

const toBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export async function start(_: Seam, address: Address, observer: Observer): Promise<Address> {
  const server = new Server();
  const echo: handleUnaryCall<Buffer, Buffer> = ({ request }, answer) => {
    answer(null, request);
  };
  const bytes: handleUnaryCall<Buffer, Buffer> = ({ request }, answer) => {
    const { seed, length } = JSON.parse(request.toString()) as { seed: number; length: number };
    answer(null, bodyOf(seed, length));
  };
  const stats: handleUnaryCall<Buffer, Buffer> = (_call, answer) => {
    answer(null, toBytes(observer.stats()));
  };
  const stream: handleServerStreamingCall<Buffer, Buffer> = (call) => {
    const source = observer.source(Number(call.request.toString()));
    call.on('cancelled', () => {
      observer.lost();
      source.destroy();
    });
    // Its types have bytes where node's have strings as well.
    source.pipe(asWritable(call));
  };
  const upload: handleClientStreamingCall<Buffer, Buffer> = (call, answer) => {
    call.on('cancelled', () => {
      observer.lost();
    });
    const isSlow = call.metadata.get('speed')[0] === 'slow';
    observer.check(call, isSlow).then(
      (result) => {
        answer(null, toBytes(result));
      },
      () => undefined,
    );
  };
  server.addService(SERVICE, { echo, bytes, stats, stream, upload });
  const name = 'path' in address ? `unix:${address.path}` : `${address.host}:${String(address.port)}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(name, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return 'path' in address ? address : { host: address.host, port };
}
