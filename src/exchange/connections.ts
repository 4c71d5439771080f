/** The open connections of a server. */
import type { Connection } from './connection.js';

/**
 * An array in which each knows its place. A Set that grows and shrinks leaves its old tables behind, each with what it
 * held at the time, and where one has become old for the collector all that comes after lives on: half of all time then
 * went into copying the dead.
 */
export class Connections {
  private readonly list: Connection[] = [];

  add(connection: Connection): void {
    connection.place = this.list.length;
    this.list.push(connection);
  }

  remove(connection: Connection): void {
    const last = this.list.pop();
    if (last === undefined || last === connection) return;
    this.list[connection.place] = last;
    last.place = connection.place;
  }

  /** All of now: some may close meanwhile. */
  all(): Connection[] {
    return this.list.slice();
  }
}
