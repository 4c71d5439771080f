#include "balance.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys.h"
#include "sys_shared.h"

namespace nearwire {

namespace {

constexpr size_t kBytes = sizeof(Balance::Place) * Balance::kPlaces;

// A process may have one connection more than the others, and one more for every so many that they have: a crowd is
// taken in larger steps.
constexpr uint32_t kConnectionsPerStep = 16;
// For so long a process goes on polling when it leaves a connection to another: one that sleeps comes in much less, and
// a timer takes longer.
constexpr uint32_t kLeaveMillis = 1;
// Who has not looked at the queue for so long while a connection waits in it is busy, stopped or dead. A few times what
// a process waits for a core on a busy machine.
constexpr uint32_t kPatientMillis = 25;
// What counts of the time between two looks at the most, as nobody knows what was in the queue meanwhile. More than
// passes between two that are about the same connection.
constexpr uint32_t kLongestLookMillis = 3;
// After so long a look has nothing to do with the one before.
constexpr uint32_t kForgottenMillis = 1000;
// In all a process leaves connections to others for one part in so many of its time, and before that for so long at
// once.
constexpr int64_t kPatienceShare = 5;
constexpr int64_t kPatience = kPatienceShare * 100;
// What it needs of that before it leaves any again once it has used all up.
constexpr int64_t kPatienceRegained = kPatience / 4;

// Times wrap.
bool is_before(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) < 0; }

uint32_t limit_over(uint32_t least) { return least + 1 + least / kConnectionsPerStep; }

}  // namespace

Balance::~Balance() {
  if (places_ != nullptr) sys::unmap(places_, kBytes);
  if (fd_ >= 0) sys::close_descriptor(fd_);
}

int Balance::map(int fd) {
  if (is_open()) return -EALREADY;
  void* at = nullptr;
  const int error = sys::map_shared(fd, kBytes, &at);
  // A file's bytes: zeros are places that nobody has.
  if (error == 0) places_ = static_cast<Place*>(at);
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
  places_[place].open = 0;
}

Seat::Seat(std::shared_ptr<Balance> balance, uint32_t place)
    : balance_(std::move(balance)), place_(place), patience_(kPatience) {
  publish();
  own().passed_over = 0;
}

Seat::~Seat() { set_open(false); }

void Seat::note_accepted() {
  ++accepted_;
  publish();
}

void Seat::count(uint32_t handed, uint32_t open) {
  gone_ = handed - open;
  publish();
}

bool Seat::is_next() const {
  const uint32_t mine = own().connections;
  const Balance::Place* const places = balance_->places();
  return std::none_of(places, places + Balance::kPlaces, [mine](const Balance::Place& other) {
    return other.open != 0 && other.passed_over == 0 && mine >= limit_over(other.connections);
  });
}

Seat::Step Seat::look(uint64_t clock) {
  const auto now = static_cast<uint32_t>(clock);
  own().looked = now;
  own().passed_over = 0;
  note_time(now);
  if (has_room()) return take();
  if (!waiting_) wait_from(now);
  if (waited_ >= kPatientMillis) {
    pass_over_absent();
    wait_from(now);
    if (is_next()) return take();
  }
  return waited_ <= kLeaveMillis ? Step::kLeave : Step::kLookAway;
}

Seat::Step Seat::take() {
  waiting_ = false;
  return Step::kTake;
}

void Seat::wait_from(uint32_t now) {
  waiting_ = true;
  waiting_since_ = now;
  waited_ = 0;
}

void Seat::note_time(uint32_t now) {
  const uint32_t elapsed = now - std::exchange(last_look_, now);
  if (elapsed > kForgottenMillis) waiting_ = false;
  patience_ += elapsed;
  if (waiting_) {
    const uint32_t waited = std::min(elapsed, kLongestLookMillis);
    waited_ += waited;
    patience_ -= kPatienceShare * waited;
  }
  patience_ = std::min(patience_, kPatience);
  if (patience_ <= 0) unbound_ = true;
  if (patience_ >= kPatienceRegained) unbound_ = false;
}

void Seat::pass_over_absent() {
  const uint32_t mine = own().connections;
  Balance::Place* const places = balance_->places();
  std::for_each(places, places + Balance::kPlaces, [&](Balance::Place& other) {
    if (other.open != 0 && other.connections < mine && is_before(other.looked, waiting_since_)) other.passed_over = 1;
  });
}

}  // namespace nearwire
