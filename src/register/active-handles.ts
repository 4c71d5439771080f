/** What keeps the process alive, for those who count it: node lists its own handles, which native sockets have none of. */
import type { Engine } from '../engine.js';
import { listeningServers } from '../net/listen.js';
import { SocketWire } from '../net/socket-wire.js';

/** The part of process that node's types leave out. */
interface ActiveHandles {
  _getActiveHandles(): unknown[];
}

interface Active {
  owner: object;
  /** As node calls the handle that would be there. */
  resource: string;
}

function activeOf(engine: Engine): Active[] {
  const active: Active[] = [];
  for (const wire of engine.open()) {
    if (wire instanceof SocketWire && !wire.socket._unreferenced) {
      active.push({ owner: wire.socket, resource: wire.tcp ? 'TCPSocketWrap' : 'PipeWrap' });
    }
  }
  for (const { server, handle, tcp } of listeningServers()) {
    if (handle.hasRef()) active.push({ owner: server, resource: tcp ? 'TCPServerWrap' : 'PipeServerWrap' });
  }
  return active;
}

/** Has `process._getActiveHandles()` and `process.getActiveResourcesInfo()` name native sockets and servers too. */
export function patchActiveHandles(engine: Engine): void {
  const nodesProcess = process as unknown as ActiveHandles;
  const nodesHandles = nodesProcess._getActiveHandles;
  const nodesResources = process.getActiveResourcesInfo.bind(process);
  nodesProcess._getActiveHandles = function _getActiveHandles() {
    return [...nodesHandles.call(process), ...activeOf(engine).map(({ owner }) => owner)];
  };
  process.getActiveResourcesInfo = function getActiveResourcesInfo() {
    return [...nodesResources(), ...activeOf(engine).map(({ resource }) => resource)];
  };
}
