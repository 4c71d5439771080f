/** What the calls of `nearwire/tune` are given: anything that has a socket of the kernel's underneath. */
import * as net from 'node:net';
import type { Channel, ChannelServer } from '../channel/types.js';
import { DESCRIPTOR, descriptorUnder } from '../engine/descriptor.js';
import { argTypeError, notOpenError } from '../errors/index.js';
import { checkWhole } from '../config/options.js';

/** Descriptors are ints. */
const MAX_DESCRIPTOR = 2 ** 31 - 1;

/** A socket, server, channel or channel server of nearwire's or of node's (http and TLS included), or a descriptor. */
export type TuneTarget = net.Socket | net.Server | Channel | ChannelServer | number;

function isHolder(target: unknown): target is object {
  if (typeof target !== 'object' || target === null) return false;
  return target instanceof net.Socket || target instanceof net.Server || DESCRIPTOR in target;
}

/**
 * The descriptor under a target. It stays the target's own, which may close it as soon as anything else runs.
 * Throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for what can't be one, ERR_NEARWIRE_NOT_OPEN for what has none now: not
 * connected or listening yet, or closed.
 */
export function descriptorOf(target: unknown): number {
  if (typeof target === 'number') {
    checkWhole(target, 'target', 0, MAX_DESCRIPTOR);
    return target;
  }
  if (!isHolder(target)) throw argTypeError('target', 'a socket, a server, a channel or a descriptor', target);
  const fd = descriptorUnder(target);
  if (fd < 0) throw notOpenError();
  return fd;
}
