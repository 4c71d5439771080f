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
      return async (text) => {
        await client.query("select pg_notify('programs', $1)", [text]);
      };
    },
    async drop() {
      client.on('error', () => undefined);
      const ended = new Promise((resolve) => client.once('end', resolve));
      // The query is to be under way when its connection is cut: nobody waits for the server's sleep to end.
      const query = client.query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)');
      const isLost = await query.then(
        () => false,
        () => true,
      );
      if (!isLost) throw new Error('the query was answered on a connection that was cut');
      await ended;
      await listener?.end();
    },
    close: () => client.end(),
  };
}
