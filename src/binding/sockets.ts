/** The JavaScript/native boundary: the options and the state of any process's sockets, as the addon reports them. */

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

/** Which kinds of sockets an option applies to on one system, and its valid values. */
export interface NativeOptionSupport {
  /** Sets of `SocketKind`. */
  readable: number;
  settable: number;
  lowest: number;
  highest: number;
}

/** One row of the table of socket options. Across the boundary, booleans are 0 and 1, and `false` of a number is -1. */
export interface NativeOptionRow {
  name: string;
  type: 'boolean' | 'number' | 'number or false';
  /** Empty where there is none. */
  unit: string;
  /** Has no effect on a non-blocking descriptor. */
  blockingOnly: boolean;
  /** The entry of the system that the addon was built for; undefined: it has no such option. */
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
 * A UNIX socket of any process. On Linux `id` is the inode that /proc/PID/fd shows, on macOS the kernel's handle;
 * `cookie` is never reused for another socket.
 */
export interface NativeUnixSocket {
  id: string;
  cookie: string;
  /** 1 stream, 2 datagram, 5 seqpacket. */
  type: number;
  listening: boolean;
  connected: boolean;
  /** As bound, with a leading NUL if abstract. Absent: not bound. */
  name?: string;
  /** The file it is bound to, if the system reports it: device major and minor, the low 32 bits of the inode number. */
  file?: [major: number, minor: number, inode: number];
  /** The `id` of the other end, once it has been accepted. */
  peer?: string;
  /** Of a listener: queued connections. Of others: unread bytes. */
  queued?: number;
  /** Of a listener: the maximum of queued connections. */
  backlog?: number;
}

export interface NativeTcpListener {
  cookie: string;
  local: NativeEndpoint;
  ipv6Only: boolean;
  queued: number;
  backlog: number;
}

/** What the kernel reports about a stream socket of this process. Fields that a system does not report are absent. */
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
  /** Linux's number for the state: 1 ESTABLISHED to 11 CLOSING. */
  state: number;
  /** Smoothed round-trip time. */
  rttMicroseconds?: number;
  /** Variation of the round-trip time. */
  rttVarianceMicroseconds?: number;
  /** Maximum of segments in flight. */
  congestionWindow?: number;
  /** In bytes. */
  segmentSize?: number;
  /** Retransmitted segments (macOS: packets) since the connection was made. */
  retransmits?: number;
  /** Bytes that the peer has acknowledged. */
  bytesAcked?: number;
  /** Bytes that the peer has sent. */
  bytesReceived?: number;
  /** Bytes of `unsent` that have never been sent. */
  notSent?: number;
  /** Time with data to send. */
  busyMicroseconds?: number;
  /** The part of it spent waiting for the peer's receive window. */
  windowLimitedMicroseconds?: number;
  /** The part of it spent waiting for room in the send buffer. */
  bufferLimitedMicroseconds?: number;
}
