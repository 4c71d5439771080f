/**
 * Node's modules as `require` gives them. An ES import of node:http, by anybody, reads all its exports, among them the
 * getter of `WebSocket`: that loads the undici inside node, whose dispatcher becomes the global one. A program's own
 * undici would then send its requests by that.
 */
import type * as http from 'node:http';
import type * as http2 from 'node:http2';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const nodeHttp = require('node:http') as typeof http;
export const nodeHttp2 = require('node:http2') as typeof http2;
