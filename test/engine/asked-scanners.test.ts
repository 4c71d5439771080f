/** Usual requests are taken apart by the addon: what servers do without it is right, too, but dearer. */
import { afterEach, describe, expect, test } from 'vitest';
import { createServer } from 'nearwire/http';
import { getEngine, type NativeEngine } from 'nearwire/internal';
import { request, target } from '../support/http.js';
import { requireOrSkip } from '../support/requirements.js';
import { listen } from '../support/sockets.js';
import { ask, VARIABLES } from '../support/uwsgi/packets.js';
import { serveUwsgi } from '../support/uwsgi/serve.js';

type Scanner = 'scanRequest' | 'scanVariables';

const native = requireOrSkip('addon') === undefined ? undefined : getEngine()?.native;

/** Whether each call of this method has found a request's parts. The addon's own cannot be replaced, only hidden. */
function watch(scanner: Scanner): boolean[] {
  if (native === undefined) throw new Error('no engine');
  const found: boolean[] = [];
  const own: NativeEngine[Scanner] = native[scanner].bind(native);
  const value: NativeEngine[Scanner] = (memory, start, end) => {
    const text = own(memory, start, end);
    found.push(text !== undefined);
    return text;
  };
  Object.defineProperty(native, scanner, { configurable: true, value });
  return found;
}

describe.skipIf(native === undefined)('the addon', () => {
  afterEach(() => {
    for (const name of ['scanRequest', 'scanVariables']) Reflect.deleteProperty(native as NativeEngine, name);
  });

  test('takes apart what an HTTP server reads', async () => {
    const found = watch('scanRequest');
    const server = createServer((_, response) => response.end('hello'));
    const address = await listen(server, 'unix');
    for (const agent of [undefined, false as const]) {
      const { status } = await request({ ...target(address), agent, headers: { 'X-Real-IP': '192.0.2.7' } });
      expect(status).toBe(200);
    }
    expect(found).toEqual([true, true]);
  });

  test('takes apart what a uwsgi server reads', async () => {
    const found = watch('scanVariables');
    const { target: address } = await serveUwsgi(
      { transport: 'native' },
      (_, response) => response.end('hello'),
      'unix',
    );
    await ask(address, VARIABLES);
    expect(found).toEqual([true]);
  });
});
