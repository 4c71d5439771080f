// The kernel's diagnosis of sockets: the queues of those of any process, and the state of a descriptor. All functions
// return 0 or a negative errno; -ENOSYS where the platform reports nothing.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nearwire::diag {

// The file that a UNIX socket was bound to. The kernel reports only the low 32 bits of the inode number.
struct SocketFile {
  uint32_t device_major = 0;
  uint32_t device_minor = 0;
  uint32_t inode = 0;
};

struct UnixSocket {
  // The socket's identity: on Linux its inode, as in /proc/PID/fd; on macOS the kernel's handle.
  uint64_t id = 0;
  // Never reused for another socket.
  uint64_t cookie = 0;
  // SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
  int type = 0;
  bool listening = false;
  bool connected = false;
  // As bound, with a leading NUL if it is abstract; empty: not bound.
  std::string name;
  std::optional<SocketFile> file;
  // The other end's id; 0: none, or not accepted yet.
  uint64_t peer = 0;
  // For a listener: connections in its accept queue, and its capacity. For others: bytes that have not been read.
  std::optional<uint32_t> queued;
  std::optional<uint32_t> backlog;
};

enum class Which { kListeners, kAll };

// The UNIX sockets of this network namespace.
int unix_sockets(Which which, std::vector<UnixSocket>* found);
// One of them. -ESRCH: no socket has this id.
int unix_socket(uint64_t id, UnixSocket* found);
// The ids of the clients whose connections are in a listener's accept queue, oldest first. -EMSGSIZE: too many for the
// kernel to report.
int waiting_clients(uint64_t id, std::vector<uint64_t>* found);

struct TcpListener {
  uint64_t cookie = 0;
  sockaddr_storage address{};
  socklen_t address_length = 0;
  // Accepts no IPv4 connections.
  bool ipv6_only = false;
  uint32_t queued = 0;
  uint32_t backlog = 0;
};

// The TCP listeners on a port, of both families.
int tcp_listeners(unsigned port, std::vector<TcpListener>* found);

struct TcpFigures {
  // The state in Linux's numbering: 1 ESTABLISHED .. 11 CLOSING.
  int state = 0;
  std::optional<uint32_t> rtt_us;
  std::optional<uint32_t> rtt_variance_us;
  std::optional<uint32_t> congestion_window;
  std::optional<uint32_t> segment_size;
  std::optional<uint64_t> retransmits;
  std::optional<uint64_t> bytes_acked;
  std::optional<uint64_t> bytes_received;
  // Bytes that have not been sent yet.
  std::optional<uint32_t> not_sent;
  // Microseconds with data in flight, and those of them that were spent waiting for the peer's window and for send
  // buffer.
  std::optional<uint64_t> busy_us;
  std::optional<uint64_t> window_limited_us;
  std::optional<uint64_t> buffer_limited_us;
};

struct Credentials {
  std::optional<int64_t> pid;
  uint32_t uid = 0;
  std::optional<uint32_t> gid;
};

// A socket that this process has open.
struct Description {
  int family = 0;
  int type = 0;
  bool listening = false;
  bool connected = false;
  uint64_t id = 0;
  uint64_t cookie = 0;
  std::optional<uint64_t> unread;
  // Bytes that the peer has not read (UNIX) or not acknowledged (TCP).
  std::optional<uint64_t> unsent;
  // The part of send_buffer that unsent bytes occupy.
  std::optional<uint64_t> send_memory;
  uint64_t send_buffer = 0;
  uint64_t recv_buffer = 0;
  // Listeners only.
  std::optional<uint32_t> queued;
  std::optional<uint32_t> backlog;
  sockaddr_storage local{};
  socklen_t local_length = 0;
  sockaddr_storage peer{};
  socklen_t peer_length = 0;
  std::optional<Credentials> credentials;
  std::optional<TcpFigures> tcp;
};

// -ENOTSOCK, -EBADF: not a socket.
int describe_socket(int fd, Description* found);

// Finds out whether a socket is bound to a path, without its owner noticing: a datagram socket connects to it. 0: a
// datagram socket has it; -EPROTOTYPE: one of another type; -ECONNREFUSED: none; -EACCES, -ENOENT, ...: as connect.
int probe_path(const std::string& path);

}  // namespace nearwire::diag
