/** What programs do with a request: well-behaved ones, slow ones, and those that throw. */
import type * as http from 'node:http';

export interface Told {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  note(what: string): void;
  /** Calls when the bytes of the case have all been sent, in the order in which this was asked for. */
  later(call: () => void): void;
  /** An exception that is known to be this case's. */
  error(what: string): Error;
}

/** Longer than any body but those that are long on purpose, and shorter than the pieces of those. */
const LONG = 1000;

/** More than one of them is more than a stream takes without a word. */
const PIECE = Buffer.alloc(20_000, 'x');

type Handler = (told: Told) => void;

function answer({ request, response }: Told): void {
  response.end(`${String(request.method)} ${String(request.url)}`);
}

function noteData({ request, note }: Told): void {
  let long = 0;
  request.on('data', (chunk: Buffer) => {
    // How a long body is cut is the kernel's affair.
    if (chunk.length > LONG) long += chunk.length;
    else note(`data ${chunk.toString('latin1')} ${String(request.complete)}`);
  });
  request.on('end', () => {
    if (long > 0) note(`data ${String(long)}`);
  });
}

function throwsOn(event: string): Handler {
  return (told) => {
    told.request.on(event, () => {
      throw told.error(event);
    });
    told.request.resume().on('end', () => {
      answer(told);
    });
  };
}

export const HANDLERS: Readonly<Record<string, Handler>> = {
  'answers at once': answer,
  'answers without content': ({ response }) => {
    response.statusCode = 204;
    response.end();
  },
  'reads the body and answers': (told) => {
    noteData(told);
    told.request.on('end', () => {
      answer(told);
    });
  },
  'answers at the first piece of a body': (told) => {
    noteData(told);
    told.request.once('data', () => {
      answer(told);
    });
    told.request.once('end', () => {
      if (!told.response.writableEnded) answer(told);
    });
  },
  'answers late': (told) => {
    told.later(() => {
      answer(told);
    });
  },
  'reads the body and answers late': (told) => {
    noteData(told);
    told.request.on('end', () => {
      told.later(() => {
        answer(told);
      });
    });
  },
  'reads late': (told) => {
    told.later(() => {
      noteData(told);
      told.request.on('end', () => {
        answer(told);
      });
    });
  },
  'reads by read()': (told) => {
    const { request, note } = told;
    request.on('readable', () => {
      for (let chunk = request.read() as Buffer | null; chunk !== null; chunk = request.read() as Buffer | null) {
        note(`read ${chunk.length > LONG ? 'long' : chunk.toString('latin1')} ${String(request.complete)}`);
      }
    });
    request.on('end', () => {
      answer(told);
    });
  },
  iterates: (told) => {
    const { request, note } = told;
    const iterate = async (): Promise<void> => {
      for await (const chunk of request) note(`iterated ${String((chunk as Buffer).length)}`);
      answer(told);
    };
    iterate().catch((error: unknown) => {
      note(`iteration ${String((error as NodeJS.ErrnoException).code)}`);
    });
  },
  'streams its answer': (told) => {
    told.response.write('one');
    process.nextTick(() => told.response.write('two'));
    told.later(() => {
      told.response.write('three');
      answer(told);
    });
  },
  'sends a large answer': ({ response }) => {
    response.end(Buffer.alloc(100_000, 'x'));
  },
  'streams a large answer': (told) => {
    const { response } = told;
    let left = 30;
    const send = (): void => {
      while (left > 0) {
        left--;
        if (!response.write(PIECE)) return;
      }
      response.off('drain', send);
      response.end('the last');
    };
    response.on('drain', send);
    send();
  },
  'never reads, and answers': (told) => {
    told.request.pause();
    answer(told);
  },
  'never reads, and answers late': (told) => {
    told.request.pause();
    told.later(() => {
      answer(told);
    });
  },
  'answers in a tick': (told) => {
    process.nextTick(answer, told);
  },
  'answers in a microtask': (told) => {
    queueMicrotask(() => {
      answer(told);
    });
  },
  'closes the connection': (told) => {
    told.response.setHeader('Connection', 'close');
    answer(told);
  },
  'never answers': () => undefined,
  throws: (told) => {
    throw told.error('handler');
  },
  'throws when it has answered': (told) => {
    answer(told);
    throw told.error('handler');
  },
  "throws in 'data'": throwsOn('data'),
  "throws in 'end'": throwsOn('end'),
  "throws in a request's 'close'": throwsOn('close'),
  'throws in a tick': (told) => {
    process.nextTick(() => {
      throw told.error('tick');
    });
    told.request.resume();
    answer(told);
  },
  'throws in a microtask': (told) => {
    queueMicrotask(() => {
      throw told.error('microtask');
    });
    told.request.resume().on('end', () => {
      answer(told);
    });
  },
  "throws in 'finish'": (told) => {
    told.response.on('finish', () => {
      throw told.error('finish');
    });
    answer(told);
  },
  // Late: within the read of its request, an exception of a write's makes node's parser give up.
  "throws in a late answer's 'drain'": (told) => {
    const { response } = told;
    response.once('drain', () => {
      response.end('the last');
      throw told.error('drain');
    });
    // By itself: what is thrown is nobody else's then.
    told.later(() => setImmediate(() => response.write(Buffer.alloc(1_000_000, 'x'))));
  },
  "throws in the callback of a late answer's write": (told) => {
    told.later(() =>
      told.response.write('one', () => {
        answer(told);
        throw told.error('callback');
      }),
    );
  },
  "throws in an answer's 'close'": (told) => {
    told.response.on('close', () => {
      throw told.error('close');
    });
    answer(told);
  },
  'destroys its request': ({ request }) => {
    request.destroy();
  },
  'destroys its answer late': (told) => {
    told.later(() => {
      told.response.destroy();
    });
  },
};
