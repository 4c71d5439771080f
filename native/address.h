// Socket addresses: UNIX paths, abstract names, IPv4 and IPv6.
#pragma once

#include <sys/socket.h>

#include <string>

namespace nearwire {

// libuv before 1.47 pads abstract names with NULs to the size of an address, in bind and connect, and so does a node
// built with it (Node 20): we must be able to reach its servers and clients.
bool pads_abstract_names();

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  // A leading NUL is an abstract name, if the platform has them. -EINVAL: too long, empty, or a NUL inside.
  int set_path(const std::string& path);
  // `host` is numeric; -EINVAL if it is not. An IPv6 host may carry a %scope.
  int set_host(const std::string& host, unsigned port);
  // Pads an abstract name as this node's libuv does.
  int bind(int fd) const;
  // 0, -EINPROGRESS or another negative errno. Tries the name as it is, and if no socket has it, padded as this node's
  // libuv does.
  int connect(int fd) const;

 private:
  bool may_be_padded() const;
};

// An address in readable form.
struct AddressText {
  bool is_path = false;
  // Empty for an unnamed UNIX socket.
  std::string text;
  int family = 0;
  unsigned port = 0;
};

AddressText describe(const sockaddr_storage& storage, socklen_t length);

}  // namespace nearwire
