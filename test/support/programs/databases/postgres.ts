import postgres from 'postgres';
import type { Connection } from '../database.js';
import type { Address, Road, Seam } from '../seam.js';
import { hostOf } from './pg.js';

export function open(seam: Seam, address: Address, road: Road): Promise<Connection> {
  let closed: (() => void) | undefined;
  const settings = {
    ...hostOf(address),
    user: 'postgres',
    database: 'postgres',
    max: 1,
    onclose: () => closed?.(),
    // A function of the caller's, which its types do not name, answers a socket on its way.
    ...(road === 'api' ? { socket: () => seam.connect(address) } : {}),
  };
  const sql = postgres(settings);
  return Promise.resolve({
    async echo(value) {
      const rows = await sql<{ value: Buffer }[]>`select ${value}::bytea as value`;
      return rows[0]?.value ?? Buffer.alloc(0);
    },
    async subscribe(onMessage) {
      await sql.listen('programs', onMessage);
      return async (text) => {
        await sql.notify('programs', text);
      };
    },
    async drop() {
      const isClosed = new Promise<void>((resolve) => (closed = resolve));
      // The query is to be under way when its connection is cut: nobody waits for the server's sleep to end.
      const isLost = await sql`select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)`.then(
        () => false,
        () => true,
      );
      await isClosed;
      if (!isLost) throw new Error('the query was answered on a connection that was cut');
      // Its end() does not come back from this, on node:net either.
    },
    close: () => sql.end(),
  });
}
