// Socket addresses: UNIX paths, abstract names, IPv4 and IPv6.
#pragma once

#include <sys/socket.h>

#include <string>

namespace nearwire {

// libuv before 1.47 binds and connects to abstract names padded with NULs to the size of an address, and so does the
// node around it (Node 20): its servers and clients are to be met.
bool pads_abstract_names();

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  // A leading NUL is an abstract name where the platform has them. -EINVAL: too long, empty, or a NUL inside.
  int set_path(const std::string& path);
  // `host` is numeric; -EINVAL if it is not. An IPv6 host may carry a %scope.
  int set_host(const std::string& host, unsigned port);
  // As node around it has it.
  int bind(int fd) const;
  // 0, -EINPROGRESS or why not. By the name as it is, and if nobody has that, as node around it has it.
  int connect(int fd) const;

 private:
  bool may_be_padded() const;
};

// An address as people write it.
struct AddressText {
  bool is_path = false;
  // Empty for an unnamed UNIX socket.
  std::string text;
  int family = 0;
  unsigned port = 0;
};

AddressText describe(const sockaddr_storage& storage, socklen_t length);

}  // namespace nearwire
