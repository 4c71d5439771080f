// Queues and bytes of sockets, from the sysctls that netstat reads: net.local.stream.pcblist64 and
// net.inet.tcp.pcblist_n; for our own descriptors, from proc_pidfdinfo. The records' layouts are XNU's own
// (bsd/sys/unpcb.h, socketvar.h, netinet/in_pcb.h), which Apple's SDK does not publish completely; each record states
// its length, which is checked.
#include <libproc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/proc_info.h>
#include <sys/sysctl.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "sys_describe.h"

namespace nearwire::diag {

namespace {

#pragma pack(push, 4)

struct BufferRecord {
  uint32_t bytes;
  uint32_t high_water;
  uint32_t mbuf_bytes;
  uint32_t mbuf_limit;
  int32_t low_water;
  int16_t flags;
  int16_t timeout;
};

// xsocket64
struct SocketRecord {
  uint32_t length;
  uint64_t handle;
  int16_t type;
  int16_t options;
  int16_t linger;
  int16_t state;
  uint64_t pcb;
  int32_t protocol;
  int32_t family;
  int16_t queue_length;
  int16_t incomplete_length;
  int16_t queue_limit;
  int16_t timeout;
  uint16_t error;
  int32_t group;
  uint32_t out_of_band;
  BufferRecord receive;
  BufferRecord send;
  uint32_t uid;
};

// xunpcb64
struct UnixRecord {
  uint32_t length;
  uint64_t handle;
  uint64_t link[2];
  uint64_t socket;
  uint64_t vnode;
  uint64_t inode;
  uint64_t peer;
  uint64_t references;
  uint64_t reference_link[2];
  int32_t bytes;
  int32_t mbuf_bytes;
  uint64_t generation;
  int32_t flags;
  union {
    sockaddr_un address;
    char room[256];
  } own;
  union {
    sockaddr_un address;
    char room[256];
  } other;
  SocketRecord state;
};

// xunpgen and xinpgen, at both ends of a listing.
struct Generation {
  uint32_t length;
  uint32_t count;
  uint64_t generation;
  uint64_t socket_generation;
};

struct KindHeader {
  uint32_t length;
  uint32_t kind;
};

// The beginning of xinpcb_n.
struct InternetRecord {
  KindHeader header;
  uint64_t handle;
  uint16_t foreign_port;
  uint16_t local_port;
  uint64_t protocol_pcb;
  uint64_t generation;
  int32_t flags;
  uint32_t flow;
  uint8_t version_flags;
  uint8_t time_to_live;
  uint8_t protocol;
  uint8_t padding;
  uint8_t foreign_address[16];
  uint8_t local_address[16];
};

// The beginning of xsocket_n.
struct KindSocketRecord {
  KindHeader header;
  uint64_t handle;
  int16_t type;
  int16_t padding;
  uint32_t options;
  int16_t linger;
  int16_t state;
  uint64_t pcb;
  int32_t protocol;
  int32_t family;
  int16_t queue_length;
  int16_t incomplete_length;
  int16_t queue_limit;
};

#pragma pack(pop)

// The sizes of XNU's headers, with its packing.
static_assert(sizeof(SocketRecord) == 108 && sizeof(UnixRecord) == 724 && sizeof(Generation) == 24);
static_assert(offsetof(InternetRecord, foreign_address) == 48 && offsetof(KindSocketRecord, queue_length) == 44);

constexpr uint32_t kSocketKind = 0x001;
constexpr uint32_t kInternetKind = 0x010;
constexpr uint8_t kVersion4 = 0x1;
constexpr uint8_t kVersion6 = 0x2;
constexpr size_t kAddress4 = 12;

constexpr size_t padded(size_t length) { return (length + 7) & ~size_t{7}; }

template <typename Record>
bool read_record(const std::vector<char>& from, size_t at, Record* record) {
  if (at > from.size() || from.size() - at < sizeof *record) return false;
  memcpy(record, from.data() + at, sizeof *record);
  return true;
}

// Sockets may come and go between the query for the size and the listing, for which the kernel adds an eighth.
constexpr int kReadings = 8;

int read_listing(const char* name, std::vector<char>* into) {
  for (int i = 0; i < kReadings; ++i) {
    size_t length = 0;
    if (sysctlbyname(name, nullptr, &length, nullptr, 0) != 0) return -errno;
    into->resize(length);
    if (sysctlbyname(name, into->data(), &length, nullptr, 0) == 0) {
      into->resize(length);
      return 0;
    }
    if (errno != ENOMEM) return -errno;
  }
  return -ENOMEM;
}

uint32_t whole(int16_t value) { return value < 0 ? 0 : static_cast<uint32_t>(value); }

UnixSocket unix_of(const UnixRecord& record) {
  UnixSocket socket;
  socket.id = record.handle;
  socket.cookie = record.generation;
  socket.type = record.state.type;
  socket.listening = (record.state.options & SO_ACCEPTCONN) != 0;
  socket.connected = record.peer != 0;
  socket.peer = record.peer;
  const size_t header = offsetof(sockaddr_un, sun_path);
  const size_t length = record.own.address.sun_len;
  if (length > header) {
    const size_t room =
        length - header < sizeof record.own.room - header ? length - header : sizeof record.own.room - header;
    socket.name.assign(record.own.room + header, strnlen(record.own.room + header, room));
  }
  if (socket.listening) {
    socket.queued = whole(record.state.queue_length);
    socket.backlog = whole(record.state.queue_limit);
  } else {
    socket.queued = record.state.receive.bytes;
  }
  return socket;
}

// Calls `take` with each UNIX stream socket's record.
template <typename Take>
int each_unix(Take take) {
  std::vector<char> listing;
  const int error = read_listing("net.local.stream.pcblist64", &listing);
  if (error < 0) return error;
  Generation first{};
  if (!read_record(listing, 0, &first)) return -EBADMSG;
  UnixRecord record{};
  for (size_t at = first.length; read_record(listing, at, &record); at += record.length) {
    if (record.length != sizeof record) return record.length == sizeof first ? 0 : -EBADMSG;
    take(record);
  }
  return 0;
}

template <typename Matches>
int find_unix(Matches matches, UnixSocket* found) {
  bool seen = false;
  const int error = each_unix([&](const UnixRecord& record) {
    if (seen || !matches(record)) return;
    seen = true;
    *found = unix_of(record);
  });
  if (error < 0) return error;
  return seen ? 0 : -ESRCH;
}

// Calls `take` with the beginnings of each TCP socket's records.
template <typename Take>
int each_tcp(Take take) {
  std::vector<char> listing;
  const int error = read_listing("net.inet.tcp.pcblist_n", &listing);
  if (error < 0) return error;
  KindHeader header{};
  if (!read_record(listing, 0, &header)) return -EBADMSG;
  InternetRecord internet{};
  for (size_t at = padded(header.length); read_record(listing, at, &header); at += padded(header.length)) {
    // The listing ends with another Generation.
    if (header.length <= sizeof(Generation)) return 0;
    if (header.kind == kInternetKind && !read_record(listing, at, &internet)) return -EBADMSG;
    KindSocketRecord socket{};
    if (header.kind == kSocketKind && read_record(listing, at, &socket)) take(internet, socket);
  }
  return 0;
}

TcpListener listener_of(const InternetRecord& internet, const KindSocketRecord& socket) {
  TcpListener listener;
  listener.cookie = internet.generation;
  listener.queued = whole(socket.queue_length);
  listener.backlog = whole(socket.queue_limit);
  if ((internet.version_flags & kVersion6) != 0) {
    // A listener for both families has both flags.
    listener.ipv6_only = (internet.version_flags & kVersion4) == 0;
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = internet.local_port;
    memcpy(&address.sin6_addr, internet.local_address, sizeof address.sin6_addr);
    memcpy(&listener.address, &address, sizeof address);
    listener.address_length = sizeof address;
    return listener;
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = internet.local_port;
  memcpy(&address.sin_addr, internet.local_address + kAddress4, sizeof address.sin_addr);
  memcpy(&listener.address, &address, sizeof address);
  listener.address_length = sizeof address;
  return listener;
}

// TCPS_* of netinet/tcp_fsm.h in Linux's numbering.
int linux_state(int state) {
  constexpr int kNumbers[] = {7, 10, 2, 3, 1, 8, 4, 11, 9, 5, 6};
  return state >= 0 && state < static_cast<int>(sizeof kNumbers / sizeof kNumbers[0]) ? kNumbers[state] : 0;
}

constexpr uint32_t kMicrosecondsPerMillisecond = 1000;

void describe_tcp(int fd, uint64_t socket_handle, Description* found) {
  if (found->listening) {
    each_tcp([&](const InternetRecord& internet, const KindSocketRecord& socket) {
      if (socket.handle == socket_handle) found->cookie = internet.generation;
    });
    return;
  }
  tcp_connection_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONNECTION_INFO, &info, &length) != 0) return;
  TcpFigures figures;
  figures.state = linux_state(info.tcpi_state);
  figures.rtt_us = info.tcpi_srtt * kMicrosecondsPerMillisecond;
  figures.rtt_variance_us = info.tcpi_rttvar * kMicrosecondsPerMillisecond;
  figures.congestion_window = info.tcpi_maxseg == 0 ? 0 : info.tcpi_snd_cwnd / info.tcpi_maxseg;
  figures.segment_size = info.tcpi_maxseg;
  figures.retransmits = info.tcpi_txretransmitpackets;
  figures.bytes_received = info.tcpi_rxbytes;
  found->tcp = figures;
  found->unsent = info.tcpi_snd_sbbytes;
}

// `pcb`: the name in proc_pidfdinfo. In the listing only the inner record has that name, a hash of the address
// (VM_KERNEL_ADDRHASH); the outer record's own name and its peer's are the address minus the kernel's slide
// (VM_KERNEL_ADDRPERM), which is a different number.
void describe_unix(int fd, uint64_t pcb, Description* found) {
  UnixSocket own;
  const bool known = find_unix([pcb](const UnixRecord& record) { return record.state.pcb == pcb; }, &own) == 0;
  if (known) {
    found->id = own.id;
    found->cookie = own.cookie;
  }
  if (found->listening || !found->connected) return;
  xucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &peer, &length) == 0 && peer.cr_version == XUCRED_VERSION) {
    Credentials credentials;
    credentials.uid = peer.cr_uid;
    if (peer.cr_ngroups > 0) credentials.gid = peer.cr_groups[0];
    pid_t pid = 0;
    length = sizeof pid;
    if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &length) == 0 && pid > 0) credentials.pid = pid;
    found->credentials = credentials;
  }
  // Sent bytes go into the other end's receive buffer at once.
  UnixSocket other;
  if (known && own.peer != 0 && unix_socket(own.peer, &other) == 0 && other.queued) found->unsent = *other.queued;
}

}  // namespace

int unix_sockets(Which which, std::vector<UnixSocket>* found) {
  return each_unix([&](const UnixRecord& record) {
    UnixSocket socket = unix_of(record);
    if (which == Which::kAll || socket.listening) found->push_back(std::move(socket));
  });
}

int unix_socket(uint64_t id, UnixSocket* found) {
  return find_unix([id](const UnixRecord& record) { return record.handle == id; }, found);
}

int waiting_clients(uint64_t, std::vector<uint64_t>*) { return -ENOSYS; }

int tcp_listeners(unsigned port, std::vector<TcpListener>* found) {
  return each_tcp([&](const InternetRecord& internet, const KindSocketRecord& socket) {
    const bool listening = (socket.options & SO_ACCEPTCONN) != 0;
    if (listening && ntohs(internet.local_port) == port) found->push_back(listener_of(internet, socket));
  });
}

int describe_socket(int fd, Description* found) {
  const int error = describe_basics(fd, found);
  if (error < 0) return error;
  socket_fdinfo info{};
  const int length = proc_pidfdinfo(getpid(), fd, PROC_PIDFDSOCKETINFO, &info, sizeof info);
  if (length < static_cast<int>(sizeof info)) return -EBADF;
  found->id = info.psi.soi_pcb;
  found->cookie = info.psi.soi_pcb;
  if (found->listening) {
    found->queued = whole(info.psi.soi_qlen);
    found->backlog = whole(info.psi.soi_qlimit);
  } else {
    found->unread = info.psi.soi_rcv.sbi_cc;
    found->send_memory = info.psi.soi_snd.sbi_mbcnt;
  }
  if (found->family == AF_UNIX) {
    describe_unix(fd, info.psi.soi_pcb, found);
  } else if (found->family == AF_INET || found->family == AF_INET6) {
    describe_tcp(fd, info.psi.soi_so, found);
  }
  return 0;
}

}  // namespace nearwire::diag
