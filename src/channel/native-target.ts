/** Converts a channel's or server's address for the native engine. */
import { isIPv6 } from 'node:net';

import type { ConnectTarget } from './types.js';
import type { NativeAddress, NativeConnectionOptions } from '../binding/addon.js';
import { nativeBuffers } from '../net/buffers.js';
import { DEFAULT_HOST } from './targets.js';

export function addressOf(target: ConnectTarget): NativeAddress {
  if (target.path !== undefined) return { path: target.path };
  const host = target.host ?? DEFAULT_HOST;
  // As in node: an IPv6 wildcard accepts IPv4 connections too.
  return isIPv6(host) ? { host, port: target.port, ipv6Only: false } : { host, port: target.port };
}

export function optionsOf(target: ConnectTarget): NativeConnectionOptions {
  return {
    owned: false,
    ...nativeBuffers(target),
    noDelay: target.noDelay ?? true,
    keepAlive: false,
    keepAliveDelay: 0,
    paused: false,
  };
}
