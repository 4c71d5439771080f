/** The fetch handlers of servers, for those who serve them without messages. */
import type * as http from 'node:http';
import type { FetchApp } from './contracts.js';

export interface ServedApp {
  readonly app: FetchApp;
  /** The listener of 'request' that answers with its handler. */
  readonly listener: http.RequestListener;
}

const apps = new WeakMap<http.Server, ServedApp>();

export function setApp(server: http.Server, served: ServedApp): void {
  apps.set(server, served);
}

export function appOfServer(server: http.Server): ServedApp | undefined {
  return apps.get(server);
}
