/** As contract.test.ts: `request.signal`, and async contexts. */
import { AsyncLocalStorage } from 'node:async_hooks';
import * as http from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  LARGE,
  noteAll,
  noteSignal,
  hasSignal,
  outcomesOf,
  POST,
  transports,
  type ContractCase,
} from '../support/uwsgi/contract-cases.js';

const signalCases: ContractCase[] = [
  ['answered', (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), res.end('x'))],
  [
    'answered in pieces, with a body that is not read',
    (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), res.write('x'), res.end()),
    POST,
  ],
  [
    'answered when the body has been read',
    (req, res, log) => {
      noteSignal(req, log);
      req.resume().on('end', () => res.end('x'));
    },
    POST,
  ],
  [
    "asked for in 'finish'",
    (req, res, log) => (
      res.on('finish', () => {
        noteSignal(req, log);
      }),
      res.end('x')
    ),
  ],
  [
    "asked for in 'close'",
    (req, res, log) => (
      res.on('close', () => {
        noteSignal(req, log);
      }),
      res.end('x')
    ),
  ],
  ['a request that is destroyed', (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), req.destroy())],
  ['a response that is destroyed', (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), res.destroy())],
  [
    'a client that goes',
    (req, res, log) => {
      noteAll(req, res, log);
      noteSignal(req, log);
    },
    { leave: (socket) => socket.destroy() },
  ],
  [
    'a client that goes within its body',
    (req, res, log) => (noteAll(req, res, log), noteSignal(req, log), req.resume()),
    { method: 'POST', body: 'x', headers: {}, leave: (socket) => socket.destroy() },
  ],
];

/** What a handler enters, and where it is found again. */
const contextCases: ContractCase[] = (
  [
    ['end', (_req, res, found) => res.end('x', () => found('end'))],
    ['write', (_req, res, found) => (res.write('x', () => found('write')), res.end('y', () => found('end')))],
    ['a large write', (_req, res, found) => (res.write(LARGE, () => found('write')), res.end('y', () => found('end')))],
    [
      'writes of several contexts',
      (_req, res, found, storage) => {
        for (const name of ['a', 'b', 'c']) storage.run(name, () => res.write(name, () => found('write')));
        storage.run('d', () => res.end(() => found('end')));
      },
    ],
    ['an end of another context', (_req, res, _found, storage) => storage.run('end', () => res.end('x'))],
    ['an answer that comes later', (_req, res) => setImmediate(() => res.end('x'))],
    [
      'the body, by listeners that come later',
      (req, res, found) => {
        setImmediate(() => req.on('data', () => found('data')).on('end', () => (found('end'), res.end('x'))));
      },
    ],
    [
      'the body, by promises',
      async (req, res, found) => {
        for await (const chunk of req) found(`data ${String(chunk)}`);
        found('end');
        res.end('x');
      },
    ],
  ] as [
    string,
    (
      req: http.IncomingMessage,
      res: http.ServerResponse,
      found: (where: string) => unknown,
      storage: AsyncLocalStorage<string>,
    ) => unknown,
  ][]
).map(([name, act]) => [
  name,
  (req, res, log) => {
    const storage = new AsyncLocalStorage<string>();
    const found = (where: string): number => log.push(`${where} ${String(storage.getStore())}`);
    found('before');
    storage.enterWith('entered');
    res.on('finish', () => found('finish'));
    res.on('close', () => found('close'));
    return act(req, res, found, storage);
  },
  POST,
]);

describe.each(transports)('as node:http does, on %s', (transport) => {
  it.runIf(hasSignal).each(signalCases)('request.signal: %s', async (...one) => {
    const [ours, nodes] = await outcomesOf(transport, one);
    expect(ours).toEqual(nodes);
  });

  it.each(contextCases)('the async context: %s', async (...one) => {
    const [ours, nodes] = await outcomesOf(transport, one);
    expect(ours).toEqual(nodes);
  });
});
