/**
 * The Node process of a cell: a server or a client of one case on one subject. run.ts starts it with the same words as
 * the C program. It loads what its subject needs and no more, so that node:net is measured in a process without us.
 */
import type { HttpServerMaker } from './work/http.js';
import type { NetLike } from './work/stream.js';
import { parseWords, targetOf } from './work/words.js';

async function netOf(subject: string): Promise<NetLike> {
  if (subject === 'node:net') return import('node:net');
  const transport = transportOf(subject);
  const nearwire = await import('nearwire');
  return {
    createServer: (options, listener) => nearwire.createServer({ ...options, transport }, listener),
    connect: (target, listener) => nearwire.connect({ ...target, transport }, listener),
  };
}

async function httpServerOf(subject: string): Promise<HttpServerMaker> {
  if (subject === 'node:net') {
    const http = await import('node:http');
    return (handler) => http.createServer(handler);
  }
  const transport = transportOf(subject);
  const nearwire = await import('nearwire/http');
  return (handler) => nearwire.createServer({ transport }, handler);
}

function transportOf(subject: string): 'native' | 'js' {
  if (subject !== 'native' && subject !== 'js') throw new TypeError(`no subject ${subject}`);
  return subject;
}

async function main(): Promise<void> {
  const words = parseWords(process.argv.slice(2));
  const target = targetOf(words);
  const serving = words.role === 'serve';
  if (words.subject === 'channel') {
    const channel = await import('./work/channel.js');
    if (serving) channel.serveChannel(words, target);
    else channel.loadChannel(words, target);
  } else if (words.case.startsWith('http')) {
    const { serveHttp } = await import('./work/http.js');
    if (!serving) throw new TypeError('the client of the http cases is the C program');
    serveHttp(await httpServerOf(words.subject), words, target);
  } else {
    const stream = await import('./work/stream.js');
    const net = await netOf(words.subject);
    if (serving) stream.serveStream(net, words, target);
    else await stream.loadStream(net, words, target);
  }
}

await main();
