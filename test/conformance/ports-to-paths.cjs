'use strict';
/**
 * Preloaded into node's tests: has servers that ask for a TCP port of this host listen on a UNIX socket, and clients of
 * that port connect to it. A port that was given away so is a file in the folder that CONFORMANCE_PORTS names, so that
 * child processes find it too; every other port is left to TCP, which refuses it as the test expects.
 */
const { existsSync } = require('node:fs');
const net = require('node:net');
const { join } = require('node:path');
const tls = require('node:tls');

const folder = process.env.CONFORMANCE_PORTS;
/** Below the ephemeral ports: what TCP gives away by itself is never one of these. */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;
const LOCAL_HOSTS = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', '::']);

const fileOf = (port) => join(folder, `${port}.sock`);
const isLocal = (host) => host === undefined || host === null || host === '' || LOCAL_HOSTS.has(host);
const isPort = (value) => (typeof value === 'number' || typeof value === 'string') && /^\d{1,5}$/.test(String(value));

// Processes of one test start at different places.
let nextPort = FIRST_PORT + (process.pid % (LAST_PORT - FIRST_PORT));

/** One that nobody has, nor has been given: a server that it is for may not listen yet. */
function freePort() {
  while (existsSync(fileOf(nextPort))) nextPort++;
  return nextPort++;
}

/** What `server.address()` answers for a server whose port has become a path. */
const names = new WeakMap();

/** The arguments of listen() with a path in place of a port, or undefined where they are none of ours. */
function listenOnPath(server, args) {
  const [first] = args;
  const isOptions = typeof first === 'object' && first !== null;
  const given = isOptions ? first : { port: first, host: args.find((arg, i) => i > 0 && typeof arg === 'string') };
  const backlog = isOptions ? first.backlog : args.find((arg, i) => i > 0 && typeof arg === 'number');
  const { port = 0, host } = given;
  if (isOptions && !('port' in first)) return undefined;
  if (typeof first === 'function' || args.length === 0) return listenOnPath(server, [0, ...args]);
  if (!(port === null || isPort(port)) || !isLocal(host)) return undefined;
  const number = Number(port) || freePort();
  if (number > 65535) return undefined;
  const family = host?.includes('.') || host === 'localhost' ? 'IPv4' : 'IPv6';
  names.set(server, { address: host ?? '::', family, port: number });
  const { host: _host, port: _port, ...others } = isOptions ? first : {};
  const callback = args.findLast((arg) => typeof arg === 'function');
  return [{ ...others, path: fileOf(number), backlog }, ...(callback ? [callback] : [])];
}

const { listen, address } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  if (this.listening) return listen.apply(this, args);
  return listen.apply(this, listenOnPath(this, args) ?? args);
};
net.Server.prototype.address = function () {
  const name = names.get(this);
  if (name === undefined || typeof address.call(this) !== 'string') return address.call(this);
  return this.listening ? name : null;
};

/** The options with a path in place of a port that a server has given away, or the same options. */
function connectToPath(options) {
  const { port, host, path } = options;
  if (path || !isPort(port) || !isLocal(host) || !existsSync(fileOf(port))) return options;
  const { port: _port, host: _host, ...others } = options;
  return { ...others, path: fileOf(port) };
}

function asOptions(args) {
  const [first, second] = args;
  if (typeof first === 'object' && first !== null) return first;
  return isPort(first) ? { port: first, host: typeof second === 'string' ? second : undefined } : undefined;
}

function replaceConnect(owner) {
  const { connect } = owner;
  owner.connect = function (...args) {
    // A TLSSocket has chosen between pipe and TCP before.
    if (this instanceof tls.TLSSocket) return connect.apply(this, args);
    if (Array.isArray(args[0])) {
      args[0][0] = connectToPath(args[0][0]);
      return connect.apply(this, args);
    }
    const options = asOptions(args);
    const changed = options && connectToPath(options);
    if (changed === options) return connect.apply(this, args);
    const callback = args.findLast((arg) => typeof arg === 'function');
    return connect.call(this, changed, ...(callback ? [callback] : []));
  };
}

replaceConnect(net.Socket.prototype);
// The module of another class of sockets, which has a connect() of its own.
if (process.env.CONFORMANCE_SOCKETS) replaceConnect(require(process.env.CONFORMANCE_SOCKETS).NativeSocket.prototype);

const connectTls = tls.connect;
tls.connect = function (...args) {
  const given = asOptions(args);
  if (given === undefined) return connectTls(...args);
  const others = args.find((arg, i) => i > 0 && typeof arg === 'object' && arg !== null);
  const options = { ...given, ...others };
  const changed = options.socket ? options : connectToPath(options);
  if (changed === options) return connectTls(...args);
  const callback = args.findLast((arg) => typeof arg === 'function');
  // The name to check the certificate against is that of the host that was asked for.
  return connectTls({ servername: '', ...changed, host: given.host ?? 'localhost' }, ...(callback ? [callback] : []));
};
