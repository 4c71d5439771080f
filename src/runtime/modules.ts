/**
 * Node's modules as `require` returns them. Any ES import of node:http reads all its exports, including the getter of
 * `WebSocket`. That getter loads node's bundled undici, whose dispatcher becomes the global one; a program's own undici
 * would then send its requests through it.
 */
import type * as http from 'node:http';
import type * as http2 from 'node:http2';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const nodeHttp = require('node:http') as typeof http;
export const nodeHttp2 = require('node:http2') as typeof http2;
