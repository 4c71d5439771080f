// Socket addresses: UNIX paths, abstract names, IPv4 and IPv6.
#pragma once

#include <sys/socket.h>

#include <string>

namespace nearwire {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  // A leading NUL is an abstract name where the platform has them. -EINVAL: too long, empty, or a NUL inside.
  int set_path(const std::string& path);
  // `host` is numeric; -EINVAL if it is not. An IPv6 host may carry a %scope.
  int set_host(const std::string& host, unsigned port);
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
