/** Abstract names: who listens by one means can be reached by any other, and is told the name that it gave. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ChannelServer } from 'nearwire/channel';
import { closeAtEnd, readBytes } from '../support/sockets.js';
import { hasAbstractNames, subjects } from '../support/subjects.js';

const able = subjects.filter(({ name }) => hasAbstractNames(name));
const pairs = able.flatMap((listener) => able.map((client) => ({ listener, client })));
/** With its NUL it takes up the whole of an address. */
const LONGEST = 108;

describe.each(pairs)('an abstract name, $listener.name to $client.name', ({ listener, client }) => {
  it.each(['short', 'with a \0 within', 'x'.repeat(LONGEST)])('reaches the server: %j', async (text) => {
    const path = `\0nearwire-${String(process.pid)}-${listener.name}-${client.name}-${text}`.slice(0, LONGEST);
    const server = listener.createServer({}, (socket) => socket.end('hi'));
    closeAtEnd(server);
    server.listen(path);
    await once(server, 'listening');
    expect(server.address()).toBe(path);
    expect((await readBytes(client.connect({ path }), 2)).toString()).toBe('hi');
  });

  it('is refused where nobody listens', async () => {
    const socket = client.connect({ path: `\0nearwire-nobody-${String(process.pid)}`, backlogTimeout: 0 });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });
});

describe.runIf(hasAbstractNames('native'))('the address of a channel server', () => {
  it('is the name that it was given', async () => {
    const path = `\0nearwire-channel-${String(process.pid)}`;
    const address = await new Promise((resolve) => {
      const server: ChannelServer = ChannelServer.listen(
        { path, transport: 'native' },
        {
          onListening() {
            resolve(server.address());
            server.close();
          },
        },
      );
    });
    expect(address).toBe(path);
  });
});
