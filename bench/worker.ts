/**
 * The Node process of a cell: a server or a client of one case on one subject. run.ts starts it with the same words as
 * the C program. It loads what its subject needs and no more, so that node:net is measured in a process without us.
 */
import { HTTP_SERVER_CASES } from './work/http-cases.js';
import type { NetLike } from './work/stream.js';
import { parseWords, targetOf, transportOf, type Words } from './work/words.js';

/** As a program writes that thinks of nothing. */
const write: NetLike['write'] = (socket, chunk) => socket.write(chunk);

async function netOf(words: Words): Promise<NetLike> {
  const { subject, module } = words;
  if (module !== '') return (await import('./work/subject-module.js')).netOfModule(module);
  if (subject === 'node:net') {
    const { pipeBoth } = await import('./work/relay.js');
    return { ...(await import('node:net')), write, relay: pipeBoth };
  }
  if (subject === 'node:net tuned') return (await import('./work/tuned.js')).tunedNet(words);
  const transport = transportOf(subject);
  const nearwire = await import('nearwire');
  return {
    createServer: (options, listener) => nearwire.createServer({ ...options, transport }, listener),
    connect: (target, listener) => nearwire.connect({ ...target, transport }, listener),
    write,
    relay(a, b) {
      // However it ends: the client has had enough.
      nearwire.relay(a, b, () => undefined);
    },
  };
}

async function main(): Promise<void> {
  const words = parseWords(process.argv.slice(2));
  const target = targetOf(words);
  const serving = words.role === 'serve';
  if (words.subject === 'nginx') {
    const { serveNginx } = await import('./work/nginx.js');
    await serveNginx(words, target);
  } else if (words.subject === 'channel') {
    const channel = await import('./work/channel.js');
    if (serving) channel.serveChannel(words, target);
    else channel.loadChannel(words, target);
  } else if (HTTP_SERVER_CASES.includes(words.case)) {
    const { httpOf, serveHttp } = await import('./work/http.js');
    if (!serving) throw new TypeError('the client of the http cases is the C program');
    serveHttp(await httpOf(words), words, target);
  } else {
    const stream = await import('./work/stream.js');
    const net = await netOf(words);
    if (serving) stream.serveStream(net, words, target);
    else await stream.loadStream(net, words, target);
  }
}

await main();
