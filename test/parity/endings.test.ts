/** How sockets end, in every way and at every moment: the record of events is node:net's in the same run. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'vitest';
import { closed, nextTurn } from '../support/sockets.js';
import { compare, type Scenario, type Stage } from '../support/stage.js';
import { everyWay } from '../support/subjects.js';

const mine = (code: string): Error => Object.assign(new Error('mine'), { code });

const endings: Record<string, Scenario> = {
  'end()': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    peer.resume();
    stage.try(client, 'end', () => client.end(stage.callback(client, 'end callback')));
  },
  'end(data)': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    peer.resume();
    stage.within('end', () => client.end('some data', stage.callback(client, 'end callback')));
  },
  'end() of both sides at once': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    peer.resume();
    client.end('a');
    peer.end('b');
  },
  'end() twice': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    peer.resume();
    client.end(stage.callback(client, 'first'));
    stage.try(client, 'second end', () => client.end(stage.callback(client, 'second')));
    await closed(client);
    client.end(stage.callback(client, 'third'));
  },
  'end() with a half-open peer': async (stage) => {
    const { client, peer } = await stage.pair({ server: { allowHalfOpen: true } });
    client.resume();
    peer.resume();
    client.end('question');
    await once(peer, 'end');
    await nextTurn();
    stage.note(peer, 'still half-open');
    peer.write('answer', stage.callback(peer, 'write callback'));
    await once(client, 'data');
    stage.note(client, 'still half-open');
    peer.end();
  },
  'end() by the server, to a half-open client': async (stage) => {
    const { client, peer } = await stage.pair({ client: { allowHalfOpen: true } });
    client.resume();
    peer.resume();
    peer.end();
    await once(client, 'end');
    await nextTurn();
    stage.note(client, 'still half-open');
    client.end('late');
  },
  'end() of a client that nobody reads from': async (stage) => {
    const { client, peer } = await stage.pair();
    client.end('unread');
    await once(peer, 'readable');
    stage.note(peer, 'read', peer.read());
    client.resume();
    peer.resume();
  },
  'allowHalfOpen changed while open': async (stage) => {
    const { client, peer } = await stage.pair();
    client.resume();
    peer.resume();
    peer.allowHalfOpen = true;
    client.end();
    await once(peer, 'end');
    await nextTurn();
    stage.note(peer, 'half-open now');
    peer.end('bye');
  },
  'destroy()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    stage.within('destroy', () => {
      stage.try(client, 'destroy', () => client.destroy());
    });
    stage.try(client, 'destroy again', () => client.destroy());
  },
  'destroy(error)': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    stage.within('destroy', () => client.destroy(mine('FIRST')));
    client.destroy(mine('SECOND'));
    await closed(client);
    client.destroy(mine('THIRD'));
  },
  'destroy() with data unread': async (stage) => {
    stage.leaveOut('bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    peer.write('to be thrown away');
    await once(client, 'readable');
    peer.resume();
    client.destroy();
  },
  'destroy() from another phase of the loop': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    await nextTurn();
    client.destroy();
    setImmediate(stage.callback(client, 'immediate'));
    process.nextTick(stage.callback(client, 'tick'));
  },
  'destroySoon()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.write('x', stage.callback(client, 'write callback'));
    stage.within('soon', () => {
      client.destroySoon();
    });
    stage.note(client, 'called');
  },
  'destroySoon() twice, with a listener of finish': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.on('finish', stage.callback(client, 'listener'));
    client.write('x');
    client.destroySoon();
    client.destroySoon();
  },
  'destroySoon() after end()': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.end('x', stage.callback(client, 'end callback'));
    client.destroySoon();
  },
  'destroySoon() while connecting': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.resume());
    const client = stage.connect(await stage.listen(server));
    client.write('x', stage.callback(client, 'write callback'));
    client.destroySoon();
    await closed(client);
  },
  'destroySoon() with much to send': async (stage) => {
    stage.leaveOut('writableLength', 'bufferSize', 'bytesRead', 'readableLength');
    const { client, peer } = await stage.pair();
    client.write(Buffer.alloc(3_000_000), stage.callback(client, 'write callback'));
    client.destroySoon();
    peer.resume();
  },
  'asynchronous disposal': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    const disposable = client as unknown as AsyncDisposable;
    await disposable[Symbol.asyncDispose]().then(
      stage.callback(client, 'disposed'),
      stage.callback(client, 'disposed with'),
    );
  },
  'a peer that resets': async (stage) => {
    stage.leaveOut('bytesRead');
    const { client, peer } = await stage.pair();
    client.resume();
    if (stage.family === 'tcp') {
      stage.try(peer, 'resetAndDestroy', () => peer.resetAndDestroy());
    } else {
      stage.try(peer, 'resetAndDestroy', () => peer.resetAndDestroy());
      peer.destroy();
    }
  },
  'resetAndDestroy() before the connection': async (stage) => {
    const server = stage.server();
    const address = await stage.listen(server);
    const accepted = once(server, 'connection');
    const client = stage.connect(address);
    stage.try(client, 'resetAndDestroy', () => client.resetAndDestroy());
    if (stage.family === 'unix') client.destroy();
    await closed(client);
    // Over TCP it was gone before the attempt.
    if (stage.family === 'unix') await accepted;
  },
  'resetAndDestroy() of a closed socket': async (stage) => {
    const { client, peer } = await stage.pair();
    peer.resume();
    client.destroy();
    await closed(client);
    stage.try(client, 'resetAndDestroy', () => client.resetAndDestroy());
  },
  'resetAndDestroy() of a socket that never connected': async (stage) => {
    const socket = stage.socket('client', stage.subject.socket());
    stage.try(socket, 'resetAndDestroy', () => socket.resetAndDestroy());
    await closed(socket);
  },
  'destroy() of a socket that never connected': async (stage) => {
    const socket = stage.socket('client', stage.subject.socket());
    socket.destroy(mine('EARLY'));
    await closed(socket);
  },
  'end() of a socket that never connected': async (stage) => {
    const socket = stage.socket('client', stage.subject.socket());
    stage.try(socket, 'end', () => socket.end(stage.callback(socket, 'end callback')));
    await nextTurn();
    socket.destroy();
  },
  // Its end does not keep it from connecting.
  'a signal aborted before': async (stage) => {
    const server = stage.server().on('connection', (peer: Socket) => peer.resume());
    const client = stage.connect({ ...(await stage.listen(server)), signal: AbortSignal.abort() });
    await new Promise((resolve) => client.once('connect', resolve));
    await nextTurn();
    client.destroy();
    await new Promise((resolve) => client.once('close', resolve));
  },
  'a signal aborted while connecting': async (stage) => {
    const server = stage.server();
    const address = await stage.listen(server);
    const accepted = once(server, 'connection');
    const controller = new AbortController();
    const client = stage.connect({ ...address, signal: controller.signal });
    stage.within('abort', () => {
      controller.abort();
    });
    await closed(client);
    // Over TCP it was gone before the attempt.
    if (stage.family === 'unix') await accepted;
  },
  'a signal aborted when connected': async (stage) => {
    const controller = new AbortController();
    const { client, peer } = await stage.pair({ client: { signal: controller.signal } });
    peer.resume();
    stage.within('abort', () => {
      controller.abort(new Error('enough'));
    });
    await closed(client);
  },
  'a signal aborted after the end': async (stage) => {
    const controller = new AbortController();
    const { client, peer } = await stage.pair({ client: { signal: controller.signal } });
    peer.resume();
    client.destroy();
    await closed(client);
    controller.abort();
  },
};

/** Not 'connectionAttempt': there node itself falls over its missing handle. */
const MOMENTS = ['lookup', 'connect', 'ready', 'data', 'end', 'finish', 'timeout', 'error', 'close'];

/** A client that goes through its life, and is destroyed at this moment of it. */
function destroyedIn(moment: string, error: boolean): Scenario {
  return async (stage: Stage) => {
    stage.leaveOut('timeout');
    const address = await stage.listen(stage.server());
    const client = stage.connect(address);
    client.once(moment, () => client.destroy(error ? mine('INSIDE') : undefined));
    stage.try(client, 'write', () => client.write('hello', stage.callback(client, 'write callback')));
    client.on('data', () => {
      if (moment === 'error') client.destroy(mine('CAUSE'));
      else if (moment === 'timeout') client.setTimeout(1);
      else client.end('x', stage.callback(client, 'end callback'));
    });
    await closed(client);
  };
}

/** With a server that answers what it gets. Its half is not compared: it depends on when the client is gone. */
function answering(scenario: Scenario): Scenario {
  return (stage) => {
    stage.onPeer = (peer) => {
      peer.pipe(peer);
      peer.on('error', () => undefined);
    };
    return scenario(stage);
  };
}

const destroyed = Object.fromEntries(
  MOMENTS.flatMap((moment) => [
    [`destroy() inside '${moment}'`, answering(destroyedIn(moment, false))],
    [`destroy(error) inside '${moment}'`, answering(destroyedIn(moment, true))],
  ]),
);

describe.each(everyWay)('endings: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(endings))('%s', async (_, scenario) => {
    await compare(scenario, subject, family);
  });

  it.each(Object.entries(destroyed))('%s', async (_, scenario) => {
    await compare(scenario, subject, family);
  });
});
