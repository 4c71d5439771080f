/** The recorder sees what it is there to see: each of these differences makes a difference of records. */
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Recorder, type Entries } from '../support/recorder.js';
import { nextTurn } from '../support/sockets.js';

async function recorded(scenario: (recorder: Recorder, emitter: EventEmitter) => unknown): Promise<Entries> {
  const recorder = new Recorder();
  const emitter = recorder.watch('it', new EventEmitter());
  await scenario(recorder, emitter);
  await nextTurn();
  return recorder.record;
}

describe('the recorder', () => {
  it('tells order, arguments and callbacks', async () => {
    const record = await recorded((recorder, emitter) => {
      emitter.emit('first', 1, 'two');
      recorder.callback(emitter, 'callback')(Object.assign(new Error('bad'), { code: 'BAD' }));
      recorder.try(emitter, 'throwing', () => {
        throw new TypeError('no');
      });
      recorder.try(emitter, 'answering', () => emitter);
    });
    expect(record).toEqual({
      it: [
        'later | \'first\'(1, "two")',
        'sync | callback(Error "bad" {code=BAD})',
        'sync | throwing throws: TypeError "no" {}',
        'sync | answering: "itself"',
      ],
    });
  });

  it.each([
    [
      'sync',
      (go: () => void): void => {
        go();
      },
    ],
    [
      'tick',
      (go: () => void): void => {
        process.nextTick(go);
      },
    ],
    [
      'tick',
      (go: () => void): void => {
        queueMicrotask(go);
      },
    ],
    [
      'tick',
      (go: () => void): void => {
        process.nextTick(() => {
          queueMicrotask(() => {
            process.nextTick(go);
          });
        });
      },
    ],
    [
      'later',
      (go: () => void): void => {
        setImmediate(go);
      },
    ],
    [
      'later',
      (go: () => void): void => {
        setTimeout(go, 1);
      },
    ],
  ])('tells what comes %s', async (distance, schedule) => {
    const record = await recorded(
      (_, emitter) =>
        new Promise<void>((resolve) => {
          emitter.emit('first');
          schedule(() => {
            emitter.emit('second');
            resolve();
          });
        }),
    );
    expect(record['it']?.[1]).toBe(`${distance} | 'second'()`);
  });

  it('tells the async context', async () => {
    const record = await recorded((recorder, emitter) => {
      recorder.within('here', () => emitter.emit('event'));
    });
    expect(record['it']).toEqual(["later | 'event'() in here"]);
  });

  it('tells what has changed of the state of a socket', () => {
    const recorder = new Recorder();
    const socket = recorder.watch('it', new Socket());
    recorder.note(socket, 'made');
    recorder.note(socket, 'the same');
    socket.setTimeout(5000);
    recorder.note(socket, 'changed');
    socket.destroy();
    expect(recorder.record['it']?.[0]).toContain('pending=true');
    expect(recorder.record['it']?.slice(1)).toEqual(['sync | the same', 'sync | changed | timeout=5000']);
  });

  it('keeps the records of objects apart, and hides what differs by chance', async () => {
    const record = await recorded((recorder, emitter) => {
      const other = recorder.watch('other', new EventEmitter());
      recorder.hide('/tmp/1234', '<directory>');
      emitter.emit('path', '/tmp/1234/a.sock');
      other.emit('data', 'x');
      other.emit('data', 'y');
    });
    expect(record).toEqual({ it: ['later | \'path\'("<directory>/a.sock")'], other: ["later | 'data'()"] });
  });
});
