/** What servers do with what they are asked, unfriendly ones too: the record of events is node:net's in the same run. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'vitest';
import { compare, type Scenario, type Stage } from '../support/stage.js';
import { closed, nextTurn } from '../support/sockets.js';
import { everyWay } from '../support/subjects.js';
import { onUncaught } from '../support/uncaught.js';

/** More than all buffers on the way hold. */
const MUCH = 8_000_000;
const PIECE = Buffer.alloc(64 * 1024, 'x');
const PIECES = 100;

/** What of a socket is up to how the kernel cuts what is sent; before it is watched. */
function leaveOutAmounts(stage: Stage): void {
  stage.ignore('drain', 'pause', 'resume');
  stage.leaveOut('writableLength', 'writableNeedDrain', 'bufferSize', 'bytesRead', 'bytesWritten', 'readableLength');
  stage.leaveOut('readableFlowing');
}

type Serve = (peer: Socket, stage: Stage) => void;

/** A scenario in which more is sent than the kernel takes at once. */
function much(scenario: Scenario): Scenario {
  return (stage) => {
    leaveOutAmounts(stage);
    return scenario(stage);
  };
}

/** One question to a server like this, which is to end the connection when it has answered. */
function asked(
  serve: Serve,
  listen: (client: Socket, stage: Stage) => unknown = (client) => client.resume(),
): Scenario {
  return async (stage) => {
    stage.leaveOutDistances();
    const { client, peer } = await stage.pair();
    onUncaught((error) => {
      // A record for each: how they follow each other is up to the two ends.
      stage.note(error.message, 'caught', error);
    });
    const over = Promise.all([closed(client), closed(peer)]);
    serve(peer, stage);
    listen(client, stage);
    client.write('question', stage.callback(client, 'asked'));
    await over;
  };
}

function thrown(where: string): never {
  throw new Error(`in ${where}`);
}

/** Answers, and throws at this event of the accepted socket. */
function throwingIn(event: string, answer: Serve): Scenario {
  return asked((peer, stage) => {
    peer.on(event, () => thrown(event));
    answer(peer, stage);
  });
}

const answer: Serve = (peer) => {
  peer.on('data', () => peer.end('answer'));
};

/** Piece by piece, as it is drained. */
const stream: Serve = (peer) => {
  let left = PIECES;
  const send = (): void => {
    while (left > 0) {
      left--;
      if (!peer.write(PIECE)) return;
    }
    peer.off('drain', send);
    peer.end('the last');
  };
  peer.on('drain', send);
  peer.on('data', send);
};

const scenarios: Record<string, Scenario> = {
  'answers at once': asked(answer),
  'answers in a tick': asked((peer) => {
    peer.on('data', () => {
      process.nextTick(() => peer.end('answer'));
    });
  }),
  'answers in a microtask': asked((peer) => {
    peer.on('data', () => {
      queueMicrotask(() => peer.end('answer'));
    });
  }),
  'answers a turn later': asked((peer) => {
    peer.on('data', () => setImmediate(() => peer.end('answer')));
  }),
  'answers by a timer': asked((peer) => {
    peer.on('data', () => setTimeout(() => peer.end('answer'), 2));
  }),
  'answers in pieces': much(
    asked((peer, stage) => {
      peer.on('data', () => {
        const send = async (): Promise<void> => {
          for (let piece = 0; piece < 5; piece++) {
            peer.write(`piece ${String(piece)}`, stage.callback(peer, 'sent'));
            await nextTurn();
          }
          peer.end();
        };
        void send();
      });
    }),
  ),
  'answers many times at one go': asked((peer, stage) => {
    peer.on('data', () => {
      for (let piece = 0; piece < 50; piece++) peer.write('piece');
      peer.end(stage.callback(peer, 'ended'));
    });
  }),
  'answers corked': asked((peer) => {
    peer.on('data', () => {
      peer.cork();
      peer.write('head');
      peer.write('body');
      peer.uncork();
      peer.end();
    });
  }),
  'streams its answer': much(asked(stream)),
  'streams its answer to a slow reader': much(
    asked(stream, (client) => {
      client.on('data', () => {
        client.pause();
        setImmediate(() => client.resume());
      });
    }),
  ),
  'streams its answer to one that goes away': much((stage) => {
    // How far it comes, and what it is told of the end, is up to chance.
    stage.onPeer = (peer) => peer.on('error', () => undefined);
    const scenario = asked(stream, (client) => {
      client.once('data', () => client.destroy());
    });
    return scenario(stage);
  }),
  'sends much at one go': much(
    asked((peer, stage) => {
      peer.on('data', () => peer.end(Buffer.alloc(MUCH), stage.callback(peer, 'ended')));
    }),
  ),
  'never reads': much(async (stage) => {
    const { client, peer } = await stage.pair();
    peer.pause();
    client.write(Buffer.alloc(MUCH), stage.callback(client, 'written'));
    client.on('drain', stage.callback(client, 'unexpected'));
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    stage.note(client, 'waits');
    client.destroy();
    await closed(client);
    peer.resume();
  }),
  'never reads, and answers': much(async (stage) => {
    const { client, peer } = await stage.pair();
    peer.pause();
    client.write('question');
    peer.write('answer', stage.callback(peer, 'answered'));
    await once(client, 'data');
    client.destroy();
    await closed(client);
    peer.destroy();
  }),
  'reads when it has answered': much(async (stage) => {
    const { client, peer } = await stage.pair();
    peer.pause();
    client.resume();
    client.write('question');
    peer.write('answer', stage.callback(peer, 'answered'));
    await once(client, 'data');
    // Its question has come as well.
    await nextTurn();
    peer.on('data', stage.callback(peer, 'read'));
    peer.resume();
    client.end();
  }),
  "throws in 'data'": throwingIn('data', (peer) => {
    peer.on('data', () => thrown('a second listener'));
    setImmediate(() => peer.end('answer'));
  }),
  "throws in 'data', having answered": asked((peer) => {
    peer.on('data', () => {
      peer.end('answer');
      thrown('data');
    });
  }),
  // What was to come behind the event does not come: the program has to destroy the socket.
  "throws in 'end'": throwingIn('end', (peer, stage) => {
    answer(peer, stage);
    peer.prependListener('end', () => setImmediate(() => peer.destroy()));
  }),
  "throws in 'finish'": throwingIn('finish', answer),
  "throws in 'close'": throwingIn('close', answer),
  "throws in 'drain'": much(
    asked((peer) => {
      peer.on('drain', () => {
        peer.end('the last');
        thrown('drain');
      });
      peer.on('data', () => peer.write(Buffer.alloc(MUCH)));
    }),
  ),
  'throws in the callback of a write': asked((peer) => {
    peer.on('data', () => {
      peer.write('answer', () => {
        peer.end('and more');
        thrown('callback');
      });
    });
  }),
  'throws in the callback of a large write': much(
    asked((peer) => {
      peer.on('data', () => {
        peer.write(Buffer.alloc(MUCH), () => {
          peer.end('and more');
          thrown('callback');
        });
      });
    }),
  ),
  'throws in the callback of an end': asked((peer) => {
    peer.on('data', () => peer.end('answer', () => thrown('callback')));
  }),
  'throws in a tick': asked((peer) => {
    peer.on('data', () => {
      process.nextTick(() => thrown('tick'));
      peer.end('answer');
    });
  }),
  'throws in a microtask': asked((peer) => {
    peer.on('data', () => {
      queueMicrotask(() => thrown('microtask'));
      peer.end('answer');
    });
  }),
  "throws in 'readable'": asked((peer) => {
    peer.on('readable', () => {
      if (peer.read() === null) return;
      peer.end('answer');
      thrown('readable');
    });
  }),
};

describe.each(everyWay)('conversations: $name over $family', ({ subject, family }) => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    await compare(scenario, subject, family);
  });
});
