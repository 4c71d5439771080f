/** The border, for sockets of any process: what the addon tells of their options and of their state. */

/** One end of a connected socket. */
export interface NativeEndpoint {
  path?: string;
  address?: string;
  port?: number;
  family?: 'IPv4' | 'IPv6';
}

/** Kinds of sockets, as bits of a set. */
export const SocketKind = {
  UnixConnection: 1,
  UnixListener: 2,
  TcpConnection: 4,
  TcpListener: 8,
  Other: 16,
} as const;

/** Where an option means something on one system, and what it may be. */
export interface NativeOptionSupport {
  /** Sets of `SocketKind`. */
  readable: number;
  settable: number;
  lowest: number;
  highest: number;
}

/** One row of the table of socket options. Booleans are 0 and 1 on the border, and `false` of a number is -1. */
export interface NativeOptionRow {
  name: string;
  type: 'boolean' | 'number' | 'number or false';
  /** Empty where there is none. */
  unit: string;
  /** Without meaning on a descriptor that is non-blocking. */
  blockingOnly: boolean;
  /** The column of the system that the addon was built for; undefined: it has no such option. */
  here: NativeOptionSupport | undefined;
  linux: NativeOptionSupport | undefined;
  darwin: NativeOptionSupport | undefined;
  posix: NativeOptionSupport | undefined;
}

export interface NativeSocketState {
  /** One of `SocketKind`. */
  kind: number;
  blocking: boolean;
}

/**
 * A UNIX socket of any process. `id` is on Linux the inode that /proc/PID/fd names, on macOS the kernel's handle; `cookie`
 * is never another socket's later on.
 */
export interface NativeUnixSocket {
  id: string;
  cookie: string;
  /** 1 stream, 2 datagram, 5 seqpacket. */
  type: number;
  listening: boolean;
  connected: boolean;
  /** As bound, with a leading NUL if abstract. Not there: not bound. */
  name?: string;
  /** The file it is bound to, where the system tells: device major and minor, the low 32 bits of the inode number. */
  file?: [major: number, minor: number, inode: number];
  /** The other end's `id`, once it has been accepted. */
  peer?: string;
  /** Of a listener: connections that wait. Of others: bytes that wait to be read. */
  queued?: number;
  /** Of a listener: connections that may wait. */
  backlog?: number;
}

export interface NativeTcpListener {
  cookie: string;
  local: NativeEndpoint;
  ipv6Only: boolean;
  queued: number;
  backlog: number;
}

/** What the kernel says of a stream socket of this process. What a system does not tell is not there. */
export interface NativeSocketDescription {
  family: 'unix' | 'tcp';
  listening: boolean;
  connected: boolean;
  id: string;
  cookie: string;
  unread?: number;
  unsent?: number;
  sendMemory?: number;
  sendBufferSize: number;
  recvBufferSize: number;
  queued?: number;
  backlog?: number;
  local: NativeEndpoint;
  peer?: NativeEndpoint;
  credentials?: { pid?: number; uid: number; gid?: number };
  tcp?: NativeTcpFigures;
}

export interface NativeTcpFigures {
  /** Linux's number of the state: 1 ESTABLISHED to 11 CLOSING. */
  state: number;
  /** Smoothed round trip. */
  rttMicroseconds?: number;
  /** How much the round trip varies. */
  rttVarianceMicroseconds?: number;
  /** Segments that may be under way. */
  congestionWindow?: number;
  /** Bytes. */
  segmentSize?: number;
  /** Segments sent again (macOS: packets), since the connection was made. */
  retransmits?: number;
  /** Bytes that the peer has acknowledged. */
  bytesAcked?: number;
  /** Bytes that the peer has sent. */
  bytesReceived?: number;
  /** Bytes of `unsent` that have not been sent even once. */
  notSent?: number;
  /** Time with data to send. */
  busyMicroseconds?: number;
  /** Of that, the time of waiting for room at the peer. */
  windowLimitedMicroseconds?: number;
  /** Of that, the time of waiting for room in the send buffer. */
  bufferLimitedMicroseconds?: number;
}
