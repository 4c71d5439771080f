import { once } from 'node:events';
import { createClient, RESP_TYPES } from 'redis';
import type { Connection } from '../database.js';
import type { Address, Seam } from '../seam.js';

/** It makes its sockets itself: by the preload alone. */
export async function open(_: Seam, address: Address): Promise<Connection> {
  const client = createClient({ socket: { ...address, reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const subscriber = client.duplicate();
  return {
    async echo(value, i) {
      const key = `key ${String(i)}`;
      const [, got] = await Promise.all([binary.set(key, value), binary.get(key)]);
      return got ?? Buffer.alloc(0);
    },
    async subscribe(onMessage) {
      await subscriber.connect();
      await subscriber.subscribe('programs', onMessage);
      return async (text) => {
        await client.publish('programs', text);
      };
    },
    async drop() {
      const lost = once(client, 'error').catch(() => undefined);
      const id = String(await client.clientId());
      await client.sendCommand(['CLIENT', 'KILL', 'ID', id, 'SKIPME', 'no']).catch(() => undefined);
      await lost;
      if (subscriber.isOpen) await subscriber.close();
    },
    close: () => client.close(),
  };
}
