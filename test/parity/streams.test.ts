/** Reading and writing: the record of events is node:net's in the same run. */
import { once } from 'node:events';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inspect } from 'node:util';
import { describe, it } from 'vitest';
import type { Socket } from 'node:net';
import { closed, fill, nextTurn, readBytes } from '../support/sockets.js';
import { compare, type Scenario } from '../support/stage.js';
import { everyWay } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

/** Bytes that no socket buffer takes at once. */
const MUCH = 8_000_000;

const scenarios: Record<string, Scenario> = {
  'small writes with callbacks': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    for (const [i, chunk] of ['a', Buffer.from('bc'), new Uint8Array(3), 'ä€', ''].entries()) {
      stage.within(`write ${String(i)}`, () => {
        stage.try(client, 'write', () => client.write(chunk, stage.callback(client, `callback ${String(i)}`)));
      });
    }
    await nextTurn();
    client.end();
  },
  'writes in every encoding': async (stage) => {
    const { client, peer } = await stage.pair();
    const encodings = ['utf8', 'latin1', 'binary', 'ascii', 'utf16le', 'ucs2', 'base64', 'base64url', 'hex'] as const;
    for (const encoding of encodings) {
      stage.try(client, encoding, () => client.write('cafe', encoding, stage.callback(client, `${encoding} callback`)));
    }
    client.setDefaultEncoding('hex');
    stage.try(client, 'default', () => client.write('cafe'));
    client.end('beef');
    peer.setEncoding('hex');
    stage.note(peer, 'received', await readText(peer));
  },
  'wrong chunks': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    for (const chunk of [null, undefined, 5, {}, [], true]) {
      stage.try(client, `write(${inspect(chunk)})`, () => client.write(chunk as never));
    }
    stage.try(client, 'encoding', () => client.write('x', 'nonsense' as BufferEncoding));
    stage.try(client, 'default encoding', () => client.setDefaultEncoding('nonsense' as BufferEncoding));
    client.end();
  },
  'a mixture of small and large writes': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    for (const [i, size] of [10, 20_000, 5, 100, 9_000, 8_192, 8_193, 1].entries()) {
      stage.try(client, `write ${String(size)}`, () =>
        client.write(Buffer.alloc(size), stage.callback(client, `callback ${String(i)}`)),
      );
    }
    client.end(stage.callback(client, 'end callback'));
  },
  'a large write that has to wait': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    stage.within('write', () => {
      stage.try(client, 'write', () => client.write(Buffer.alloc(MUCH), stage.callback(client, 'callback')));
      stage.try(client, 'write more', () => client.write('more', stage.callback(client, 'callback of more')));
    });
    await nextTurn();
    stage.note(client, 'waiting');
    peer.resume();
    await once(client, 'drain');
    client.end();
  },
  'a large string that has to wait': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    stage.try(client, 'write', () => client.write('ü'.repeat(MUCH), 'latin1', stage.callback(client, 'callback')));
    stage.note(client, 'bytes', client.bytesWritten);
    peer.resume();
    await once(client, 'drain');
    client.end();
  },
  'drain inside a write callback': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    client.write(
      Buffer.alloc(MUCH),
      stage.callback(client, 'first', () => {
        // Without a callback: what is written inside an event calls back at the end of the loop's turn, later than node.
        stage.try(client, 'write', () => client.write('x'));
      }),
    );
    peer.resume();
    await once(client, 'drain');
    // What is written inside an event goes out, and calls back, at the end of the loop's turn.
    await nextTurn();
    client.end();
  },
  'end() with writes that wait': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    client.write(Buffer.alloc(MUCH), stage.callback(client, 'first'));
    client.write('second', stage.callback(client, 'second'));
    stage.within('end', () => client.end('last', stage.callback(client, 'end callback')));
    peer.resume();
  },
  'destroy() with writes that wait': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesRead', 'readableLength', 'bytesWritten');
    const { client, peer } = await stage.pair();
    client.write(Buffer.alloc(MUCH), stage.callback(client, 'first'));
    client.write('second', stage.callback(client, 'second'));
    client.end('third', stage.callback(client, 'end callback'));
    await nextTurn();
    client.destroy();
    peer.resume();
  },
  'destroy(error) with writes that wait': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesRead', 'readableLength', 'bytesWritten');
    const { client, peer } = await stage.pair();
    client.write(Buffer.alloc(MUCH), stage.callback(client, 'first'));
    client.write('second', stage.callback(client, 'second'));
    client.destroy(new Error('mine'));
    peer.resume();
  },
  'write() and destroy() in one go': async (stage) => {
    const { client, peer } = await stage.pair();
    client.write('a', stage.callback(client, 'first'));
    client.write(Buffer.alloc(10_000), stage.callback(client, 'second'));
    client.destroy();
    peer.resume();
  },
  'write() after destroy()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.destroy();
    stage.try(client, 'write', () => client.write('x', stage.callback(client, 'callback')));
    stage.try(client, 'end', () => client.end('x', stage.callback(client, 'end callback')));
    await closed(client);
    stage.try(client, 'late write', () => client.write('x', stage.callback(client, 'late callback')));
    stage.try(client, 'late end', () => client.end(stage.callback(client, 'late end callback')));
  },
  'write() after end()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.end();
    stage.within('write', () => {
      stage.try(client, 'write', () => client.write('x', stage.callback(client, 'callback')));
    });
  },
  'write() inside end': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.resume();
    client.on('end', () => {
      stage.try(client, 'write', () => client.write('bye'));
    });
    peer.end();
  },
  'write() a tick after end': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.resume();
    client.on('end', () => {
      process.nextTick(() => {
        process.nextTick(() => {
          stage.try(client, 'write', () => client.write('late', stage.callback(client, 'callback')));
        });
      });
    });
    peer.end();
  },
  'write() a turn after end': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.resume();
    client.on('end', () => {
      setImmediate(() => {
        stage.try(client, 'write', () => client.write('late', stage.callback(client, 'callback')));
      });
    });
    peer.end();
  },
  'write() on a socket that never connected': async (stage) => {
    const socket = stage.socket('client', stage.subject.socket());
    stage.within('write', () => {
      stage.try(socket, 'write', () => socket.write('x', stage.callback(socket, 'callback')));
    });
    await closed(socket);
  },
  'cork() and uncork()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.cork();
    client.cork();
    client.write('a', stage.callback(client, 'a'));
    client.write(Buffer.from('b'), stage.callback(client, 'b'));
    stage.note(client, 'twice corked');
    client.uncork();
    stage.note(client, 'once corked');
    client.uncork();
    stage.note(client, 'free');
    client.write('c', stage.callback(client, 'c'));
    await nextTurn();
    client.end();
  },
  'cork() around large and small': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.cork();
    client.write('a', stage.callback(client, 'a'));
    client.write(Buffer.alloc(20_000), stage.callback(client, 'b'));
    client.write('c', 'latin1', stage.callback(client, 'c'));
    client.write('dd', 'hex', stage.callback(client, 'd'));
    process.nextTick(() => {
      client.uncork();
    });
    await nextTurn();
    client.end();
  },
  'corked to the end': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.cork();
    client.write('a', stage.callback(client, 'a'));
    client.end('b', stage.callback(client, 'end callback'));
  },
  'corked and destroyed': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.cork();
    client.write('a', stage.callback(client, 'a'));
    client.write('b', stage.callback(client, 'b'));
    client.destroy();
  },
  'a low high-water mark': async (stage) => {
    stage.leaveOut('bytesRead', 'readableLength');
    const { client, peer } = await stage.pair({ client: { highWaterMark: 10 }, server: { highWaterMark: 10 } });
    stage.note(client, 'marks', [client.readableHighWaterMark, client.writableHighWaterMark]);
    stage.note(peer, 'marks', [peer.readableHighWaterMark, peer.writableHighWaterMark]);
    stage.try(client, 'write', () => client.write('more than ten characters', stage.callback(client, 'callback')));
    await nextTurn();
    client.cork();
    stage.try(client, 'corked', () => client.write('more than ten characters', stage.callback(client, 'corked')));
    client.uncork();
    peer.resume();
    await nextTurn();
    client.end();
  },
  'writes before the connection': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.resume());
    const client = stage.connect(await stage.listen(server));
    stage.try(client, 'write', () => client.write('early', stage.callback(client, 'first')));
    stage.try(client, 'write', () => client.write(Buffer.alloc(30_000), stage.callback(client, 'second')));
    stage.try(client, 'end', () => client.end('last', stage.callback(client, 'end callback')));
    await closed(client);
  },
  'corked writes before the connection': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.resume());
    const client = stage.connect(await stage.listen(server));
    client.cork();
    client.write('a', stage.callback(client, 'first'));
    client.write('b', stage.callback(client, 'second'));
    client.uncork();
    client.once('connect', () => client.end());
    await closed(client);
  },
  'pause() and resume()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.on('data', () => {
      peer.pause();
      setImmediate(() => peer.resume());
    });
    client.write('a');
    await once(peer, 'resume');
    client.end('b');
  },
  'pause() before the connection': async (stage) => {
    const server = stage.server();
    const client = stage.socket('client', stage.subject.socket());
    client.pause();
    client.connect((await stage.listen(server)) as { path: string });
    const [peer] = (await once(server, 'connection')) as [Socket];
    peer.end('x');
    peer.resume();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    stage.note(client, 'still paused');
    client.resume();
    await closed(client);
  },
  'readable and read()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.on('readable', () => {
      for (let chunk: unknown = peer.read(3); chunk !== null; chunk = peer.read(3)) stage.note(peer, 'read', chunk);
    });
    client.write('abcdefgh');
    await nextTurn();
    client.end();
  },
  'unshift()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.once('data', (chunk: Buffer) => {
      peer.pause();
      peer.unshift(chunk);
      stage.note(peer, 'put back');
      setImmediate(() => peer.resume());
    });
    client.end('abc');
  },
  'setEncoding() with split characters': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.setEncoding('utf8');
    const text = readText(peer);
    const bytes = Buffer.from('ä€');
    client.write(bytes.subarray(0, 3));
    await nextTurn();
    await nextTurn();
    client.end(bytes.subarray(3));
    stage.note(peer, 'received', await text);
  },
  'pipe() as an echo': async (stage) => {
    stage.leaveOut('bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    peer.pipe(peer);
    client.write('echo this');
    await readBytes(client, 9);
    client.end();
  },
  'pipe() into a slow destination': async (stage) => {
    stage.leaveOut('bytesRead', 'readableLength', 'readableFlowing');
    const { client, peer } = await stage.pair();
    const slow = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        setImmediate(done);
      },
    });
    peer.pipe(slow);
    client.end('some data');
    await once(slow, 'finish');
  },
  'pipeline() from and to': async (stage) => {
    stage.leaveOut('bytesRead', 'readableLength', 'readableFlowing', 'writableLength', 'bufferSize');
    const { client, peer } = await stage.pair();
    const upper = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        done(null, chunk.toString().toUpperCase());
      },
    });
    const served = pipeline(peer, upper, peer);
    client.end('shout');
    stage.note(client, 'received', (await readBytes(client, 5)).toString());
    await served.then(stage.callback(peer, 'through'), stage.callback(peer, 'failed'));
  },
  'pipeline() that fails': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    const source = Readable.from(
      (function* () {
        yield 'a';
        throw new Error('source');
      })(),
    );
    await pipeline(source, client).then(stage.callback(client, 'through'), stage.callback(client, 'failed'));
  },
  'async iteration': async (stage) => {
    const { client, peer } = await stage.pair();
    client.end('abc');
    for await (const chunk of peer) stage.note(peer, 'chunk', chunk);
    stage.note(peer, 'through');
  },
  'async iteration that stops early': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    client.write('abc');
    for await (const chunk of peer) {
      stage.note(peer, 'chunk', chunk);
      break;
    }
    stage.note(peer, 'through');
  },
  'async iteration that fails': async (stage) => {
    const { client, peer } = await stage.pair();
    client.write('abc');
    setImmediate(() => peer.destroy(new Error('mine')));
    client.resume();
    try {
      for await (const chunk of peer) stage.note(peer, 'chunk', chunk);
    } catch (error) {
      stage.note(peer, 'failed', error);
    }
  },
  'read() by an emptied socket': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    stage.try(peer, 'read', () => peer.read());
    client.end('x');
    await once(peer, 'readable');
    stage.try(peer, 'read', () => peer.read());
    stage.try(peer, 'read', () => peer.read());
  },
  'a full pipe that the peer never reads': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesWritten', 'bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    peer.pause();
    fill(client);
    // TCP moves more to the peer meanwhile, on a busy host after its full buffers have been seen.
    client.write(Buffer.alloc(MUCH));
    await nextTurn();
    client.on('drain', stage.callback(client, 'unexpected'));
    client.destroy();
    peer.resume();
  },
  'a listener that throws': async (stage) => {
    const { client, peer } = await stage.pair();
    onUncaught((error) => {
      // A record for each: how they follow each other is up to the two ends.
      stage.note(error.message, 'caught', error);
    });
    for (const event of ['data', 'close']) {
      peer.on(event, () => {
        throw new Error(`in ${event}`);
      });
    }
    client.resume();
    await nextTurn();
    client.write('x', () => {
      throw new Error('in callback');
    });
    await nextTurn();
    client.end();
  },
};

async function readText(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: string) => (text += chunk));
  await once(socket, 'end');
  return text;
}

describe.each(everyWay)('streams: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    await compare(scenario, subject, family);
  });
});
