/** Where node:net changed between the versions that we run on: a native socket does as the node around it. */
import * as net from 'node:net';

const nodeMajor = Number.parseInt(process.versions.node, 10);
const [uvMajor = 0, uvMinor = 0] = process.versions.uv.split('.').map(Number);

/** `maxConnections = 0` lets nobody in; before, it meant no limit. */
export const ZERO_CONNECTIONS_IS_A_LIMIT = nodeMajor >= 21;

/** A write under way calls back with ECANCELED when the socket is destroyed; before, without an error. */
export const CANCELLED_WRITES_FAIL = nodeMajor >= 22;

/** `end()` of a socket that does not connect finishes; before, it waited for a connection. */
export const UNCONNECTED_ENDS_AT_ONCE = nodeMajor >= 22;

/** `net.client.socket` is told of by `socket.connect()`; before, by `net.connect()` alone. */
export const SOCKET_CONNECT_IS_PUBLISHED = nodeMajor >= 22;

/** `readableAll` and `writableAll` replace a socket file's mode; before, they added to it. */
export const CHMOD_REPLACES_MODE = uvMajor > 1 || (uvMajor === 1 && uvMinor >= 51);

/** Servers and sockets take a `blockList`. */
export const HAS_BLOCK_LIST_OPTION = 'isBlockList' in net.BlockList;

/** Sockets take a `typeOfService`, and keep-alive an interval and a count. */
export const HAS_TYPE_OF_SERVICE = 'setTypeOfService' in net.Socket.prototype;

/** A string written as 'buffer' is of an unknown encoding; before, it was no buffer. */
export const BUFFER_IS_AN_UNKNOWN_ENCODING = nodeMajor >= 24;
