/** Where node:net changed between supported versions: a native socket behaves as the node that it runs in. */
import * as net from 'node:net';

const nodeMajor = Number.parseInt(process.versions.node, 10);
const [uvMajor = 0, uvMinor = 0] = process.versions.uv.split('.').map(Number);

/** `maxConnections = 0` refuses all connections; earlier it meant no limit. */
export const ZERO_CONNECTIONS_IS_A_LIMIT = nodeMajor >= 21;

/** A pending write calls back with ECANCELED when the socket is destroyed; earlier, without an error. */
export const CANCELLED_WRITES_FAIL = nodeMajor >= 22;

/** `end()` of a socket that is not connecting finishes; earlier it waited for a connection. */
export const UNCONNECTED_ENDS_AT_ONCE = nodeMajor >= 22;

/** `socket.connect()` publishes to `net.client.socket`; earlier, only `net.connect()` did. */
export const SOCKET_CONNECT_IS_PUBLISHED = nodeMajor >= 22;

/** `readableAll` and `writableAll` replace a socket file's mode; earlier they added to it. */
export const CHMOD_REPLACES_MODE = uvMajor > 1 || (uvMajor === 1 && uvMinor >= 51);

/** Servers and sockets accept a `blockList`. */
export const HAS_BLOCK_LIST_OPTION = 'isBlockList' in net.BlockList;

/** Sockets accept `typeOfService`, and keep-alive accepts an interval and a count. */
export const HAS_TYPE_OF_SERVICE = 'setTypeOfService' in net.Socket.prototype;

/** Writing a string as 'buffer' fails as an unknown encoding; earlier, as an argument that is not a buffer. */
export const BUFFER_IS_AN_UNKNOWN_ENCODING = nodeMajor >= 24;
