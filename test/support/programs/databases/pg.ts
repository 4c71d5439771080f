import { once } from 'node:events';
import { dirname, extname } from 'node:path';
import pg from 'pg';
import type { Connection } from '../database.js';
import type { Address, Road, Seam } from '../seam.js';

/** PostgreSQL's clients take the directory of a socket as host, and find its name by the port. */
export function hostOf(address: Address): { host: string; port: number } {
  return 'path' in address ? { host: dirname(address.path), port: Number(extname(address.path).slice(1)) } : address;
}

export async function open(seam: Seam, address: Address, road: Road): Promise<Connection> {
  const settings: pg.ClientConfig = { ...hostOf(address), user: 'postgres', database: 'postgres' };
  if (road === 'api') settings.stream = () => seam.socket();
  const client = new pg.Client(settings);
  await client.connect();
  let listener: pg.Client | undefined;
  return {
    async echo(value) {
      const { rows } = await client.query<{ value: Buffer }>('select $1::bytea as value', [value]);
      return rows[0]?.value ?? Buffer.alloc(0);
    },
    async subscribe(onMessage) {
      listener = new pg.Client(settings);
      await listener.connect();
      listener.on('notification', ({ payload }) => {
        onMessage(payload ?? '');
      });
      await listener.query('listen programs');
      return async (text) => void (await client.query("select pg_notify('programs', $1)", [text]));
    },
    async drop() {
      const lost = once(client, 'error').catch(() => undefined);
      const ended = once(client, 'end');
      await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
      await Promise.race([lost, ended]);
      await listener?.end();
    },
    close: () => client.end(),
  };
}
