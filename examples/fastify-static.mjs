/**
 * `@fastify/static` over nearwire: `node examples/fastify-static.mjs DIRECTORY [SOCKET]`.
 *
 * @fastify/static finds and checks the file, makes the head, and sends a stream of the file. The hook takes the stream's
 * place: the same range of the same open file goes by nearwire. What any other plugin has made of the payload by then
 * (@fastify/compress, say) is no longer a file's stream, and goes as it is.
 */
import { ReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';
import { createServer, sendFile } from 'nearwire/http';

/** Has streams of files that handlers and plugins of this instance send go by nearwire. Add it before them. */
export function useSendFile(fastify) {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    // Somebody who has begun to read it wants its bytes.
    if (!(payload instanceof ReadStream) || payload.readableFlowing !== null || payload.listenerCount('readable') > 0) {
      done(null, payload);
      return;
    }
    payload.once('error', done);
    const send = (fd) => {
      payload.removeListener('error', done);
      reply.hijack();
      const { start, end } = payload;
      const headers = reply.getHeaders();
      sendFile(reply.raw, fd, { start, end, headers, conditional: false })
        .catch((error) => {
          reply.log.warn(error, 'a file has not been sent');
          if (!reply.raw.headersSent) reply.raw.destroy(error);
        })
        .finally(() => payload.destroy());
    };
    if (typeof payload.fd === 'number') send(payload.fd);
    else payload.once('open', send);
  });
  return fastify;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , root = '.', socket = '/tmp/nearwire-fastify.sock'] = process.argv;
  const fastify = useSendFile(Fastify({ serverFactory: (handler) => createServer(handler) }));
  fastify.register(fastifyStatic, { root: resolve(root) });
  await fastify.listen({ path: socket });
  console.log(`curl --unix-socket ${socket} http://localhost/README.md`);
}
