#include "trial.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <utility>

#include "address.h"
#include "sys.h"
#include "sys_owned.h"

namespace nearwire {

namespace {

constexpr size_t kProbeBytes = 4096;
constexpr int kBufferBytes = 64 * 1024;

class Trials {
 public:
  // Records the result of a call. Returns true if it succeeded.
  bool note(const char* call, ssize_t outcome) {
    results_.push_back({call, outcome < 0 ? static_cast<int>(outcome) : 0});
    return outcome >= 0;
  }
  // The same for a call that moves bytes: any other number of them is a failure too.
  bool note_bytes(const char* call, ssize_t outcome, size_t wanted) {
    return note(call, outcome >= 0 && static_cast<size_t>(outcome) != wanted ? -EIO : outcome);
  }
  std::vector<Trial> take() { return std::move(results_); }

 private:
  std::vector<Trial> results_;
};

struct Pair {
  OwnedDescriptor listener;
  OwnedDescriptor client;
  OwnedDescriptor peer;
};

bool make_pair(Trials* trials, const std::string& path, Pair* pair) {
  Address address;
  if (address.set_path(path) < 0) return trials->note("bind", -EINVAL);
  pair->listener = OwnedDescriptor(sys::open_stream(AF_UNIX));
  pair->client = OwnedDescriptor(sys::open_stream(AF_UNIX));
  if (!trials->note("socket", pair->client.get())) return false;
  if (!trials->note("bind", sys::bind_to(pair->listener.get(), address.get(), address.length))) return false;
  if (!trials->note("listen", sys::listen_on(pair->listener.get(), 1))) return false;
  if (!trials->note("connect", sys::connect_to(pair->client.get(), address.get(), address.length))) return false;
  pair->peer = OwnedDescriptor(sys::accept_stream(pair->listener.get()));
  return trials->note("accept", pair->peer.get());
}

void try_plain(Trials* trials, const Pair& pair) {
  std::array<char, kProbeBytes> bytes{};
  const std::array<iovec, 2> parts{{{bytes.data(), 1}, {bytes.data(), kProbeBytes - 1}}};
  trials->note("setsockopt", sys::set_option(pair.client.get(), SOL_SOCKET, SO_SNDBUF, kBufferBytes));
  trials->note("getsockopt", sys::get_option(pair.client.get(), SOL_SOCKET, SO_SNDBUF));
  const ssize_t sent = sys::send_parts(pair.client.get(), parts.data(), parts.size(), false);
  if (!trials->note_bytes("sendmsg", sent, kProbeBytes)) return;
  trials->note_bytes("recvmsg", sys::receive_parts(pair.peer.get(), parts.data(), parts.size()), kProbeBytes);
}

// Whether the bytes have arrived: a call that claims success without delivering counts as refused.
ssize_t arrived(const Pair& pair, ssize_t sent) {
  std::array<char, kProbeBytes> bytes{};
  return sent < 0 ? sent : sys::receive(pair.peer.get(), bytes.data(), bytes.size());
}

void try_by_reference(Trials* trials, const Pair& pair) {
  const OwnedDescriptor file(sys::create_memory_file("nearwire-trial"));
  if (!trials->note("memfd_create", file.get())) return;
  const std::array<char, kProbeBytes> bytes{};
  if (sys::write_at(file.get(), bytes.data(), bytes.size(), static_cast<int64_t>(0)) < 0) return;
  trials->note("fcntl(F_ADD_SEALS)", sys::seal(file.get()));
  trials->note("cachestat", sys::residency(file.get(), 0, kProbeBytes));
  const ssize_t sent = sys::send_file(pair.client.get(), file.get(), 0, kProbeBytes);
  trials->note_bytes("sendfile", arrived(pair, sent), kProbeBytes);
  std::array<int, 2> ends{-1, -1};
  if (!trials->note("pipe2", sys::open_pipe(ends.data()))) return;
  const OwnedDescriptor reading(ends[0]);
  const OwnedDescriptor writing(ends[1]);
  ssize_t moved = sys::move_bytes(file.get(), writing.get(), nullptr, kProbeBytes);
  if (moved > 0) moved = sys::move_bytes(reading.get(), pair.client.get(), nullptr, kProbeBytes);
  trials->note_bytes("splice", arrived(pair, moved), kProbeBytes);
}

}  // namespace

std::vector<Trial> try_calls(const std::string& path) {
  Trials trials;
  Pair pair;
  if (make_pair(&trials, path, &pair)) {
    try_plain(&trials, pair);
    try_by_reference(&trials, pair);
  }
  // The root directory is always cached: if opening it is deferred, everything is.
  const OwnedDescriptor root(sys::open_cached("/"));
  trials.note("openat2", root.get() == -EAGAIN ? -ENOSYS : root.get());
  return trials.take();
}

}  // namespace nearwire
