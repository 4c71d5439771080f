/** The open connections of a server. */
/**
 * An array in which each connection knows its index. A Set that grows and shrinks leaves old tables behind, with all
 * their former entries. Once such a table has been promoted to V8's old generation, everything added later stays alive:
 * half of all time then went into copying garbage.
 */
interface Placed {
  /** Its index in the list; -1: it is in none. */
  place: number;
}

export class Connections<Connection extends Placed> {
  private readonly list: Connection[] = [];

  get size(): number {
    return this.list.length;
  }

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

  /** A snapshot: connections may close during the iteration. */
  all(): Connection[] {
    return this.list.slice();
  }
}
