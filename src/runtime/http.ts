/**
 * node:http, for the rooms that speak it: what `nearwire` and `nearwire/channel` load does not import this.
 *
 * Loaded as `require` does. Any ES import of it reads all its exports, among them the getter of `WebSocket`, which loads the
 * undici inside Node. Its dispatcher then becomes the global one, and a program's own undici would send its requests through it.
 */
import type * as http from 'node:http';
import { builtin } from './builtin.js';

export const nodeHttp = builtin('node:http') as typeof http;
