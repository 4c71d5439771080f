/** The targets of the calls of `nearwire/tune`: any object with a kernel socket underneath. */
import * as net from 'node:net';
import type { Channel, ChannelServer } from '../channel/types.js';
import { DESCRIPTOR, descriptorUnder } from '../engine/descriptor.js';
import { argTypeError, notOpenError } from '../errors/index.js';
import { checkWhole } from '../config/options.js';

/** Descriptors are ints. */
const MAX_DESCRIPTOR = 2 ** 31 - 1;

/** A socket, server, channel or channel server, nearwire's or node's (http and TLS included), or a descriptor. */
export type TuneTarget = net.Socket | net.Server | Channel | ChannelServer | number;

function isHolder(target: unknown): target is object {
  if (typeof target !== 'object' || target === null) return false;
  return target instanceof net.Socket || target instanceof net.Server || DESCRIPTOR in target;
}

/**
 * The descriptor under a target. The target still owns it, and may close it as soon as other code runs. Throws
 * ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for an invalid target, and ERR_NEARWIRE_NOT_OPEN for one without a
 * descriptor: not yet connected or listening, or closed.
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
