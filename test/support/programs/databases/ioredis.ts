import { once } from 'node:events';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import type { Connection } from '../database.js';
import type { Address, Road, Seam } from '../seam.js';

function settingsOf(seam: Seam, address: Address, road: Road): RedisOptions {
  if (road === 'register') return { ...address };
  class Connector extends AbstractConnector {
    override connect(): Promise<ReturnType<Seam['connect']>> {
      this.connecting = true;
      this.stream = seam.connect(address);
      return Promise.resolve(this.stream);
    }
  }
  // It is handed all options, of which the base class wants one number.
  const construct = class extends Connector {
    constructor(options: unknown) {
      super((options as { disconnectTimeout: number }).disconnectTimeout);
    }
  };
  return { Connector: construct };
}

export async function open(seam: Seam, address: Address, road: Road): Promise<Connection> {
  const settings = settingsOf(seam, address, road);
  const client = new Redis(settings);
  await once(client, 'ready');
  let subscriber: Redis | undefined;
  return {
    async echo(value, i) {
      const key = `key ${String(i)}`;
      const [, got] = await Promise.all([client.set(key, value, 'EX', 60), client.getBuffer(key)]);
      return got ?? Buffer.alloc(0);
    },
    async subscribe(onMessage) {
      subscriber = new Redis(settings);
      await subscriber.subscribe('programs');
      subscriber.on('message', (_, text) => {
        onMessage(text);
      });
      return async (text) => {
        await client.publish('programs', text);
      };
    },
    async drop() {
      const lost = once(client, 'close');
      const id = await client.client('ID');
      await client.call('CLIENT', 'KILL', 'ID', String(id), 'SKIPME', 'no').catch(() => undefined);
      await lost;
      client.disconnect();
      subscriber?.disconnect();
    },
    async close() {
      await client.quit();
    },
  };
}
