#include <fcntl.h>

#include <cerrno>

#include "address.h"
#include "diag.h"
#include "sys.h"
#include "sys_owned.h"

namespace nearwire::diag {

int probe_path(const std::string& path) {
  Address address;
  int error = address.set_path(path);
  if (error < 0) return error;
  const OwnedDescriptor probe(socket(AF_UNIX, SOCK_DGRAM, 0));
  if (probe.get() < 0) return -errno;
  error = sys::set_flags(probe.get());
  return error < 0 ? error : sys::connect_to(probe.get(), address.get(), address.length);
}

}  // namespace nearwire::diag
