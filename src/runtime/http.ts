/**
 * node:http, for the rooms that use it; modules that `nearwire` and `nearwire/channel` load do not import this file.
 *
 * Loaded as `require` does. Any ES import of it reads all its exports, including the getter of `WebSocket`, which loads
 * the undici inside Node. Its dispatcher then becomes the global one, and a program's own undici would send its
 * requests through it.
 */
import type * as http from 'node:http';
import { builtin } from './builtin.js';

export const nodeHttp = builtin('node:http') as typeof http;
