#include "balance.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys.h"
#include "sys_shared.h"

namespace nearwire {

namespace {

constexpr size_t kBytes = sizeof(Balance::Memory);

// A process may have one connection more than the others, plus one for each such number that they have: with many
// connections, the steps are larger.
constexpr uint32_t kConnectionsPerStep = 16;
// How long a process continues to poll after leaving a connection to another. A process that sleeps arrives well within
// that time, and a timer would take longer.
constexpr uint32_t kLeaveMillis = 1;
// A process that uses this much CPU while a connection waits for it, without accepting it, is busy with something else.
constexpr uint32_t kBusyMillis = 20;
// A process that has not accepted for this long is stopped, waits for something, or is dead. Longer than a process
// waits for a processor on a heavily overloaded machine.
constexpr uint32_t kPatientMillis = 100;
// The maximum that counts of the time between two looks, as the state of the queue in between is unknown. It is more
// than the interval between two looks at the same connection.
constexpr uint32_t kLongestLookMillis = 3;
// After this time a look is unrelated to the previous one.
constexpr uint32_t kForgottenMillis = 1000;
// Where connections end as fast as they arrive they are not kept, and leaving them to others costs more than it gains;
// a process with few connections because it is new would have to serve them all. This many may pass at once, plus one
// per this many milliseconds, before all processes accept freely.
constexpr int64_t kPassing = 200;
constexpr int64_t kMillisPerPassing = 20;
constexpr int64_t kPatience = kPassing * kMillisPerPassing;
// The amount that must be regained, once it has been used up, before processes leave connections to others again.
constexpr int64_t kPatienceRegained = kPatience / 4;

uint32_t limit_over(uint32_t least) { return least + 1 + least / kConnectionsPerStep; }

}  // namespace

Balance::~Balance() {
  if (is_open()) sys::unmap(memory_, kBytes);
  if (fd_ >= 0) sys::close_descriptor(fd_);
}

int Balance::map(int fd) {
  if (is_open()) return -EALREADY;
  void* at = nullptr;
  const int error = sys::map_shared(fd, kBytes, &at);
  // A file's bytes start as zeros, which mean unused places.
  if (error == 0) memory_ = static_cast<Memory*>(at);
  return error;
}

int Balance::open() {
  if (is_open()) return -EALREADY;
  const int fd = sys::open_shared_memory("nearwire-cluster", kBytes);
  if (fd < 0) return fd;
  const int error = map(fd);
  if (error == 0) {
    fd_ = fd;
  } else {
    sys::close_descriptor(fd);
  }
  return error;
}

int Balance::unpack(int socket) {
  const int fd = sys::unpack_descriptor(socket);
  if (fd < 0) return fd;
  const int error = map(fd);
  sys::close_descriptor(fd);
  return error;
}

int Balance::pack() const { return fd_ < 0 ? -EBADF : sys::pack_descriptor(fd_); }

void Balance::vacate(uint32_t place) {
  if (!is_open() || place >= kPlaces) return;
  memory_->places[place].open = 0;
}

Seat::Seat(std::shared_ptr<Balance> balance, uint32_t place)
    : balance_(std::move(balance)),
      place_(place),
      last_taken_(balance_->memory().taken),
      last_ended_(balance_->memory().ended),
      patience_(kPatience) {
  publish();
  own().pid = static_cast<uint32_t>(getpid());
  own().passed_over = 0;
}

Seat::~Seat() { set_open(false); }

void Seat::note_accepted() {
  ++accepted_;
  publish();
  ++balance_->memory().taken;
}

void Seat::count(uint32_t handed, uint32_t open) {
  // A server may have had connections before it listened here; then the number of ended ones is negative.
  const uint32_t gone = handed - open;
  const auto ended = static_cast<int32_t>(gone - std::exchange(gone_, gone));
  if (ended > 0) balance_->memory().ended += static_cast<uint32_t>(ended);
  publish();
}

bool Seat::goes_first(const Balance::Place& other) const {
  return other.open != 0 && other.passed_over == 0 && own().connections >= limit_over(other.connections);
}

bool Seat::is_next() const {
  return std::ranges::none_of(balance_->memory().places, [this](const auto& other) { return goes_first(other); });
}

Seat::Step Seat::look(uint64_t clock) {
  own().passed_over = 0;
  note_time(static_cast<uint32_t>(clock));
  if (waiting_ && !has_room()) pass_over_absent();
  waiting_ = !has_room();
  if (!waiting_) return Step::kTake;
  if (waited_ <= kLeaveMillis) return Step::kLeave;
  if (!timed_) note_processor_times();
  return Step::kLookAway;
}

void Seat::note_time(uint32_t now) {
  Balance::Memory& memory = balance_->memory();
  const uint32_t elapsed = now - std::exchange(last_look_, now);
  const uint32_t all_taken = memory.taken;
  const uint32_t all_ended = memory.ended;
  const uint32_t taken = all_taken - std::exchange(last_taken_, all_taken);
  const uint32_t ended = all_ended - std::exchange(last_ended_, all_ended);
  // Many that end at once were kept ones: fewer have arrived in the same time.
  patience_ += elapsed - kMillisPerPassing * std::min(taken, ended);
  patience_ = std::clamp(patience_, int64_t{0}, kPatience);
  if (patience_ == 0) unbound_ = true;
  if (patience_ >= kPatienceRegained) unbound_ = false;
  if (elapsed > kForgottenMillis) waiting_ = false;
  if (waiting_ && taken == 0) {
    waited_ += std::min(elapsed, kLongestLookMillis);
  } else {
    waited_ = 0;
    timed_ = false;
  }
}

void Seat::note_processor_times() {
  timed_ = true;
  for (uint32_t i = 0; i < Balance::kPlaces; ++i) {
    const Balance::Place& other = balance_->memory().places[i];
    processor_times_[i] = other.open != 0 ? sys::processor_millis(static_cast<pid_t>(other.pid.load())) : -ESRCH;
  }
}

void Seat::pass_over_absent() {
  if (!timed_) return;
  for (uint32_t i = 0; i < Balance::kPlaces; ++i) {
    Balance::Place& other = balance_->memory().places[i];
    if (!goes_first(other)) continue;
    const int64_t before = processor_times_[i];
    const int64_t used = before < 0 ? waited_ : sys::processor_millis(static_cast<pid_t>(other.pid.load())) - before;
    // If the process is dead, was replaced, or the system does not report its CPU, count the elapsed time.
    if (used >= kBusyMillis || waited_ >= kPatientMillis) other.passed_over = 1;
  }
}

}  // namespace nearwire
