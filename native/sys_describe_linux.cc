// The state of a socket that this process has open.
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <cstddef>

#include "sys_describe.h"

namespace nearwire::diag {

namespace {

constexpr int kTcpListen = 10;

// The memory accounted to a socket (SO_MEMINFO, since Linux 4.12).
constexpr int kMemoryInfo = 55;

template <typename Value>
socklen_t option(int fd, int level, int name, Value* value) {
  socklen_t length = sizeof *value;
  return getsockopt(fd, level, name, value, &length) == 0 ? length : 0;
}

// Whether the kernel, which may be older than these headers, has filled this field of tcp_info.
#define NEARWIRE_FILLED(length, field) ((length) >= offsetof(tcp_info, field) + sizeof(tcp_info::field))

void describe_tcp(int fd, Description* found) {
  tcp_info info{};
  const socklen_t length = option(fd, IPPROTO_TCP, TCP_INFO, &info);
  if (length == 0) return;
  // For a listener these two hold its queue (tcp_get_info in net/ipv4/tcp.c).
  if (info.tcpi_state == kTcpListen) {
    found->queued = info.tcpi_unacked;
    found->backlog = info.tcpi_sacked;
    return;
  }
  TcpFigures figures;
  figures.state = info.tcpi_state;
  figures.rtt_us = info.tcpi_rtt;
  figures.rtt_variance_us = info.tcpi_rttvar;
  figures.congestion_window = info.tcpi_snd_cwnd;
  figures.segment_size = info.tcpi_snd_mss;
  figures.retransmits = info.tcpi_total_retrans;
  if (NEARWIRE_FILLED(length, tcpi_bytes_received)) {
    figures.bytes_acked = info.tcpi_bytes_acked;
    figures.bytes_received = info.tcpi_bytes_received;
  }
  if (NEARWIRE_FILLED(length, tcpi_notsent_bytes)) figures.not_sent = info.tcpi_notsent_bytes;
  if (NEARWIRE_FILLED(length, tcpi_sndbuf_limited)) {
    figures.busy_us = info.tcpi_busy_time;
    figures.window_limited_us = info.tcpi_rwnd_limited;
    figures.buffer_limited_us = info.tcpi_sndbuf_limited;
  }
  found->tcp = figures;
  found->unsent = bytes_by(fd, SIOCOUTQ);
}

#undef NEARWIRE_FILLED

void describe_unix(int fd, Description* found) {
  UnixSocket own;
  const bool known = unix_socket(found->id, &own) == 0;
  if (found->listening) {
    if (known) {
      found->queued = own.queued;
      found->backlog = own.backlog;
    }
    return;
  }
  ucred peer{};
  if (found->connected && option(fd, SOL_SOCKET, SO_PEERCRED, &peer) == sizeof peer) {
    Credentials credentials;
    // 0: a process outside this pid namespace.
    if (peer.pid > 0) credentials.pid = peer.pid;
    credentials.uid = peer.uid;
    credentials.gid = peer.gid;
    found->credentials = credentials;
  }
  // SIOCOUTQ counts memory here, not bytes. The unsent bytes are those that the other end has not read.
  UnixSocket other;
  if (known && own.peer != 0 && unix_socket(own.peer, &other) == 0 && other.queued) found->unsent = *other.queued;
}

void describe_memory(int fd, Description* found) {
  uint32_t memory[SK_MEMINFO_VARS] = {};
  const socklen_t length = option(fd, SOL_SOCKET, kMemoryInfo, &memory);
  const size_t index = found->family == AF_UNIX ? SK_MEMINFO_WMEM_ALLOC : SK_MEMINFO_WMEM_QUEUED;
  if (length >= (index + 1) * sizeof memory[0]) found->send_memory = memory[index];
}

}  // namespace

int describe_socket(int fd, Description* found) {
  const int error = describe_basics(fd, found);
  if (error < 0) return error;
  struct stat status {};
  if (fstat(fd, &status) != 0) return -errno;
  found->id = status.st_ino;
  uint64_t cookie = 0;
  if (option(fd, SOL_SOCKET, SO_COOKIE, &cookie) == sizeof cookie) found->cookie = cookie;
  if (!found->listening) {
    found->unread = bytes_by(fd, SIOCINQ);
    describe_memory(fd, found);
  }
  if (found->family == AF_UNIX) {
    describe_unix(fd, found);
  } else if (found->family == AF_INET || found->family == AF_INET6) {
    describe_tcp(fd, found);
  }
  return 0;
}

}  // namespace nearwire::diag
