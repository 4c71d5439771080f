// Queues of any process's sockets, through NETLINK_SOCK_DIAG (sock_diag(7)). The kernel answers within the caller's own
// system call, so nothing waits.
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "diag.h"
#include "sys_owned.h"

namespace nearwire::diag {

namespace {

// The kernel's states (include/net/tcp_states.h); AF_UNIX uses TCP's.
constexpr unsigned kEstablished = 1;
constexpr unsigned kListen = 10;
constexpr uint32_t kEveryState = 0xffffffff;
constexpr uint32_t kAnyCookie = 0xffffffff;

// The kernel fills at most 32 KiB at a time (NL_MAX in net/netlink/af_netlink.c).
constexpr size_t kAnswerBytes = 64 * 1024;
// A listing may lack sockets if some came or went during it.
constexpr int kListings = 4;

constexpr uint32_t kShown = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN;

template <typename Body>
struct Request {
  nlmsghdr header;
  Body body;
};

template <typename Body>
Request<Body> request_of(const Body& body, uint16_t flags) {
  Request<Body> request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  request.body = body;
  return request;
}

class Conversation {
 public:
  int open() {
    fd_ = OwnedDescriptor(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    return fd_.get() >= 0 ? 0 : -errno;
  }

  // Calls `take` with each message of the answer. -EAGAIN: the listing is not consistent.
  template <typename Body, typename Take>
  int ask(const Request<Body>& request, Take take) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    while (sendto(fd_.get(), &request, sizeof request, 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) <
           0) {
      if (errno != EINTR) return -errno;
    }
    const bool listing = (request.header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    bool torn = false;
    for (;;) {
      const ssize_t length = receive();
      if (length < 0) return static_cast<int>(length);
      int outcome = 0;
      if (read(static_cast<size_t>(length), listing, &torn, &outcome, take))
        return outcome == 0 && torn ? -EAGAIN : outcome;
    }
  }

 private:
  ssize_t receive() {
    for (;;) {
      sockaddr_nl from{};
      socklen_t from_length = sizeof from;
      const ssize_t length =
          recvfrom(fd_.get(), answer_.data(), answer_.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_length);
      if (length < 0 && errno != EINTR) return -errno;
      // Any process may write to a netlink socket; the kernel's port is 0.
      if (length >= 0 && from.nl_pid == 0) return length;
    }
  }

  // true: the answer is complete, with this outcome.
  template <typename Take>
  bool read(size_t length, bool listing, bool* torn, int* outcome, Take take) {
    size_t left = length;
    const char* at = answer_.data();
    while (left >= sizeof(nlmsghdr)) {
      nlmsghdr header{};
      memcpy(&header, at, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > left) {
        *outcome = -EBADMSG;
        return true;
      }
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) *torn = true;
      const char* body = at + NLMSG_HDRLEN;
      const size_t size = header.nlmsg_len - NLMSG_HDRLEN;
      // NLMSG_DONE carries the outcome of the listing as well.
      if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
        int error = 0;
        if (size >= sizeof error) memcpy(&error, body, sizeof error);
        *outcome = error;
        return true;
      }
      take(body, size);
      if (!listing) return true;
      const size_t step = NLMSG_ALIGN(header.nlmsg_len);
      if (step >= left) break;
      at += step;
      left -= step;
    }
    return false;
  }

  OwnedDescriptor fd_;
  std::vector<char> answer_ = std::vector<char>(kAnswerBytes);
};

template <typename Take>
void each_attribute(const char* at, size_t left, Take take) {
  while (left >= sizeof(rtattr)) {
    rtattr header{};
    memcpy(&header, at, sizeof header);
    if (header.rta_len < sizeof header || header.rta_len > left) return;
    take(header.rta_type & NLA_TYPE_MASK, at + RTA_LENGTH(0), header.rta_len - RTA_LENGTH(0));
    const size_t step = RTA_ALIGN(header.rta_len);
    if (step >= left) return;
    at += step;
    left -= step;
  }
}

// false: the kernel sent less than this.
template <typename Value>
bool read_value(const char* from, size_t size, Value* value) {
  if (size < sizeof *value) return false;
  memcpy(value, from, sizeof *value);
  return true;
}

uint64_t cookie_of(const uint32_t words[2]) { return words[0] | static_cast<uint64_t>(words[1]) << 32; }

// The kernel's internal dev_t: 12 bits and 20 bits (MKDEV).
SocketFile file_of(const unix_diag_vfs& vfs) {
  return {vfs.udiag_vfs_dev >> 20, vfs.udiag_vfs_dev & 0xfffff, vfs.udiag_vfs_ino};
}

bool read_unix(const char* body, size_t size, UnixSocket* socket) {
  unix_diag_msg message{};
  if (!read_value(body, size, &message)) return false;
  socket->id = message.udiag_ino;
  socket->cookie = cookie_of(message.udiag_cookie);
  socket->type = message.udiag_type;
  socket->listening = message.udiag_state == kListen;
  socket->connected = message.udiag_state == kEstablished;
  const size_t start = NLMSG_ALIGN(sizeof message);
  if (size <= start) return true;
  each_attribute(body + start, size - start, [socket](int type, const char* value, size_t length) {
    unix_diag_vfs vfs{};
    unix_diag_rqlen queue{};
    uint32_t peer = 0;
    if (type == UNIX_DIAG_NAME && length > 0) {
      // A path has its exact length here, with or without the NUL that its owner passed.
      socket->name.assign(value, value[0] == '\0' ? length : strnlen(value, length));
    } else if (type == UNIX_DIAG_VFS && read_value(value, length, &vfs)) {
      socket->file = file_of(vfs);
    } else if (type == UNIX_DIAG_PEER && read_value(value, length, &peer)) {
      socket->peer = peer;
    } else if (type == UNIX_DIAG_RQLEN && read_value(value, length, &queue)) {
      socket->queued = queue.udiag_rqueue;
      // For sockets other than listeners it is the memory accounted for what they have sent.
      if (socket->listening) socket->backlog = queue.udiag_wqueue;
    }
  });
  return true;
}

unix_diag_req unix_request(uint32_t states, uint32_t shown) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = states;
  request.udiag_show = shown;
  request.udiag_cookie[0] = request.udiag_cookie[1] = kAnyCookie;
  return request;
}

// Repeats the query until the answer is consistent, up to a limit.
template <typename Body, typename Item, typename Read>
int list(Conversation* conversation, const Body& body, std::vector<Item>* found, Read read) {
  const size_t before = found->size();
  for (int i = 0; i < kListings; ++i) {
    found->resize(before);
    const int outcome = conversation->ask(request_of(body, NLM_F_DUMP), [&](const char* message, size_t size) {
      Item item;
      if (read(message, size, &item)) found->push_back(std::move(item));
    });
    // The kernel lacks this diagnosis: its module is not loaded.
    if (outcome == -ENOENT) return -EPROTONOSUPPORT;
    if (outcome != -EAGAIN) return outcome;
  }
  return 0;
}

// One socket, by its inode. -ESRCH: there is none.
template <typename Take>
int ask_one(uint64_t id, uint32_t shown, Take take) {
  if (id == 0 || id > UINT32_MAX) return -ESRCH;
  Conversation conversation;
  const int error = conversation.open();
  if (error < 0) return error;
  unix_diag_req request = unix_request(kEveryState, shown);
  request.udiag_ino = static_cast<uint32_t>(id);
  const int outcome = conversation.ask(request_of(request, 0), take);
  if (outcome != -ENOENT) return outcome;
  // No such socket, or no such diagnosis: listing nothing distinguishes the two.
  std::vector<UnixSocket> none;
  const int listed = list(&conversation, unix_request(0, 0), &none, read_unix);
  return listed < 0 ? listed : -ESRCH;
}

bool read_tcp(const char* body, size_t size, TcpListener* listener) {
  inet_diag_msg message{};
  if (!read_value(body, size, &message)) return false;
  listener->cookie = cookie_of(message.id.idiag_cookie);
  listener->queued = message.idiag_rqueue;
  listener->backlog = message.idiag_wqueue;
  if (message.idiag_family == AF_INET6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = message.id.idiag_sport;
    memcpy(&address.sin6_addr, message.id.idiag_src, sizeof address.sin6_addr);
    memcpy(&listener->address, &address, listener->address_length = sizeof address);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = message.id.idiag_sport;
    memcpy(&address.sin_addr, message.id.idiag_src, sizeof address.sin_addr);
    memcpy(&listener->address, &address, listener->address_length = sizeof address);
  }
  const size_t start = NLMSG_ALIGN(sizeof message);
  if (size <= start) return true;
  each_attribute(body + start, size - start, [listener](int type, const char* value, size_t length) {
    uint8_t only = 0;
    if (type == INET_DIAG_SKV6ONLY && read_value(value, length, &only)) listener->ipv6_only = only != 0;
  });
  return true;
}

}  // namespace

int unix_sockets(Which which, std::vector<UnixSocket>* found) {
  Conversation conversation;
  const int error = conversation.open();
  if (error < 0) return error;
  // Never with UDIAG_SHOW_ICONS: a queue too long for one message would silently end the listing there.
  const uint32_t states = which == Which::kListeners ? 1U << kListen : kEveryState;
  return list(&conversation, unix_request(states, kShown), found, read_unix);
}

int unix_socket(uint64_t id, UnixSocket* found) {
  return ask_one(id, kShown, [found](const char* body, size_t size) { read_unix(body, size, found); });
}

int waiting_clients(uint64_t id, std::vector<uint64_t>* found) {
  return ask_one(id, UDIAG_SHOW_ICONS, [found](const char* body, size_t size) {
    const size_t start = NLMSG_ALIGN(sizeof(unix_diag_msg));
    if (size <= start) return;
    each_attribute(body + start, size - start, [found](int type, const char* value, size_t length) {
      if (type != UNIX_DIAG_ICONS) return;
      for (uint32_t client = 0; read_value(value, length, &client); value += sizeof client, length -= sizeof client) {
        if (client != 0) found->push_back(client);
      }
    });
  });
}

int tcp_listeners(unsigned port, std::vector<TcpListener>* found) {
  Conversation conversation;
  int error = conversation.open();
  for (const int family : {AF_INET, AF_INET6}) {
    if (error < 0) return error;
    inet_diag_req_v2 request{};
    request.sdiag_family = static_cast<uint8_t>(family);
    request.sdiag_protocol = IPPROTO_TCP;
    request.idiag_states = 1U << kListen;
    request.id.idiag_sport = htons(static_cast<uint16_t>(port));
    error = list(&conversation, request, found, read_tcp);
    // A kernel without IPv6 has no such listeners.
    if (family == AF_INET6 && error == -EPROTONOSUPPORT) error = 0;
  }
  return error;
}

}  // namespace nearwire::diag
