/**
 * node:http, for the rooms that speak it: what `nearwire` and `nearwire/channel` load does not import this.
 *
 * As `require` gives it. An ES import of it, by anybody, reads all its exports, among them the getter of `WebSocket`: that loads
 * the undici inside node, whose dispatcher becomes the global one. A program's own undici would then send its requests by that.
 */
import type * as http from 'node:http';
import { builtin } from './builtin.js';

export const nodeHttp = builtin('node:http') as typeof http;
