/** Adds native sockets and servers to node's lists of what keeps the process alive: node lists its own handles only. */
import type { Engine } from '../engine/engine.js';
import { addActiveHandles, type Active } from '../node/active-handles.js';
import { listeningServers } from '../net/listen.js';
import { SocketConnection } from '../net/socket-connection.js';

function activeOf(engine: Engine): Active[] {
  const active: Active[] = [];
  for (const connection of engine.open()) {
    if (connection instanceof SocketConnection && !connection.socket._unreferenced) {
      active.push({ owner: connection.socket, resource: connection.tcp ? 'TCPSocketWrap' : 'PipeWrap' });
    }
  }
  for (const { server, handle, tcp } of listeningServers()) {
    if (handle.hasRef()) active.push({ owner: server, resource: tcp ? 'TCPServerWrap' : 'PipeServerWrap' });
  }
  return active;
}

/** Makes node list native sockets and servers among its handles. */
export function patchActiveHandles(engine: Engine): void {
  addActiveHandles(() => activeOf(engine));
}
