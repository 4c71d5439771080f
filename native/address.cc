#include "address.h"

#include <netinet/in.h>
#include <sys/un.h>
#include <uv.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "sys.h"

namespace nearwire {

int Address::set_path(const std::string& path) {
  sockaddr_un target{};
  target.sun_family = AF_UNIX;
  if (path.empty()) return -EINVAL;
  const bool abstract = path[0] == '\0';
  if (abstract && !sys::kAbstractNames) return -EINVAL;
  // A path needs room for its NUL, an abstract name has an exact length instead.
  const size_t room = sizeof target.sun_path - (abstract ? 0 : 1);
  if (path.size() > room) return -EINVAL;
  if (!abstract && path.find('\0') != std::string::npos) return -EINVAL;
  memcpy(target.sun_path, path.data(), path.size());
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
  memcpy(&storage, &target, sizeof target);
  return 0;
}

int Address::set_host(const std::string& host, unsigned port) {
  sockaddr_in v4{};
  if (uv_ip4_addr(host.c_str(), static_cast<int>(port), &v4) == 0) {
    memcpy(&storage, &v4, sizeof v4);
    length = sizeof v4;
    return 0;
  }
  sockaddr_in6 v6{};
  const int error = uv_ip6_addr(host.c_str(), static_cast<int>(port), &v6);
  if (error < 0) return error;
  memcpy(&storage, &v6, sizeof v6);
  length = sizeof v6;
  return 0;
}

bool pads_abstract_names() {
  constexpr unsigned kExact = (1U << 16) | (47U << 8);
  return uv_version() < kExact;
}

bool Address::may_be_padded() const {
  const bool is_abstract = family() == AF_UNIX && reinterpret_cast<const sockaddr_un*>(&storage)->sun_path[0] == '\0';
  return sys::kAbstractNames && is_abstract && length < sizeof(sockaddr_un) && pads_abstract_names();
}

int Address::bind(int fd) const { return sys::bind_to(fd, get(), may_be_padded() ? sizeof(sockaddr_un) : length); }

int Address::connect(int fd) const {
  const int error = sys::connect_to(fd, get(), length);
  return error == -ECONNREFUSED && may_be_padded() ? sys::connect_to(fd, get(), sizeof(sockaddr_un)) : error;
}

AddressText describe(const sockaddr_storage& storage, socklen_t length) {
  AddressText result;
  result.family = storage.ss_family;
  if (storage.ss_family == AF_UNIX) {
    result.is_path = true;
    const auto* address = reinterpret_cast<const sockaddr_un*>(&storage);
    const size_t header = offsetof(sockaddr_un, sun_path);
    if (length <= header) return result;
    const size_t size = length - header;
    // Elsewhere an unnamed socket has a name of NULs (XNU's sun_noname).
    const bool abstract = sys::kAbstractNames && address->sun_path[0] == '\0';
    result.text.assign(address->sun_path, abstract ? size : strnlen(address->sun_path, size));
    // See Address::bind.
    if (abstract && length == sizeof(sockaddr_un) && pads_abstract_names()) {
      result.text.resize(result.text.find_last_not_of('\0') + 1);
    }
    return result;
  }
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    const auto* address = reinterpret_cast<const sockaddr_in*>(&storage);
    uv_ip4_name(address, text, sizeof text);
    result.port = ntohs(address->sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto* address = reinterpret_cast<const sockaddr_in6*>(&storage);
    uv_ip6_name(address, text, sizeof text);
    result.port = ntohs(address->sin6_port);
  }
  result.text = text;
  return result;
}

}  // namespace nearwire
