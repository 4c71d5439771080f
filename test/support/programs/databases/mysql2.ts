import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { Connection } from '../database.js';
import { targetOf, type Address, type Road, type Seam } from '../seam.js';

export async function open(seam: Seam, address: Address, road: Road): Promise<Connection> {
  const stream = road === 'api' ? { stream: () => seam.connect(address) } : {};
  const connection = await createConnection({ ...targetOf(address), user: 'root', ...stream });
  return {
    async echo(value) {
      const [rows] = await connection.execute<RowDataPacket[]>('select ? as value', [value]);
      return rows[0]?.['value'] as Buffer;
    },
    subscribe: () => Promise.resolve(undefined),
    async drop() {
      const isLost = await connection
        .query('kill connection_id()')
        .then(() => connection.query('select 1'))
        .then(
          () => false,
          () => true,
        );
      if (!isLost) throw new Error('a query was answered on a connection that was cut');
      connection.destroy();
    },
    close: () => connection.end(),
  };
}
