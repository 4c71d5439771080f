#include "engine.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "check.h"
#include "file_sink.h"
#include "splice.h"
#include "sys.h"

namespace nearwire {

namespace {

// See src/engine/outbound.ts.
constexpr uint64_t kLongNanos = 50'000;

}  // namespace

Engine::Engine(uv_loop_t* loop, Delegate* delegate)
    : loop_(loop),
      delegate_(delegate),
      inbox_memory_(new char[kInboxBytes]),
      arena_(new char[kArenaBytes]),
      completions_(new Completion[Turn::kCapacity]),
      submissions_(new Submission[kMaxSubmissions]),
      results_(new FlushResult[kMaxSubmissions]) {
  inbox_.assign(inbox_memory_.get(), kInboxBytes);
  turn_.assign(completions_.get());
}

int Engine::open() {
  restore_spare();
  return turn_.open(loop_, this);
}

void Engine::close(std::function<void()> done) {
  if (closed_) return;
  // Sends everything that node:net would have handed to the kernel by now.
  flush();
  closed_ = true;
  for (auto& source : sources_) {
    if (source->kind() == Source::Kind::kConnection) {
      static_cast<Connection&>(*source).close(false);
    } else {
      static_cast<Listener&>(*source).remove_file();
      static_cast<Listener&>(*source).close();
    }
  }
  files_.clear();
  blocks_.clear();
  heap_top_.clear();
  lent_.clear();
  pipes_.clear();
  turn_.close();
  drop_spare();
  loop_.when_all_closed(std::move(done));
}

Connection* Engine::connection(int32_t id) {
  if (id < 0 || static_cast<size_t>(id) >= sources_.size()) return nullptr;
  Source* source = sources_[static_cast<size_t>(id)].get();
  if (source->kind() != Source::Kind::kConnection) return nullptr;
  auto* found = static_cast<Connection*>(source);
  return found->is_free() ? nullptr : found;
}

Listener* Engine::listener(int32_t id) {
  if (id < 0 || static_cast<size_t>(id) >= sources_.size()) return nullptr;
  Source* source = sources_[static_cast<size_t>(id)].get();
  if (source->kind() != Source::Kind::kListener) return nullptr;
  auto* found = static_cast<Listener*>(source);
  return found->is_free() ? nullptr : found;
}

Connection* Engine::new_connection() {
  if (!free_connections_.empty()) {
    const int32_t id = free_connections_.back();
    free_connections_.pop_back();
    NEARWIRE_CHECK(connection(id) == nullptr);
    return static_cast<Connection*>(sources_[static_cast<size_t>(id)].get());
  }
  const auto id = static_cast<int32_t>(sources_.size());
  sources_.push_back(std::make_unique<Connection>(this, id));
  return static_cast<Connection*>(sources_.back().get());
}

void Engine::retire(int32_t id) {
  turn_.withdraw(id);
  retired_.push_back(id);
}

int Engine::connect(const Address& address, const Address* local, const ConnectionOptions& options) {
  const int fd = sys::open_stream(address.family());
  if (fd < 0) return fd;
  if (local != nullptr) {
    // As libuv does: allows an address whose last connection is in TIME_WAIT.
    int error = address.family() == AF_UNIX ? 0 : sys::set_reuse_address(fd);
    if (error == 0) error = local->bind(fd);
    if (error < 0) {
      sys::close_descriptor(fd);
      return error;
    }
  }
  Connection* made = new_connection();
  made->connect(fd, address, options);
  return made->id();
}

int Engine::prepare_connect(const Address& address, const ConnectionOptions& options) {
  const int fd = sys::open_stream(address.family());
  if (fd < 0) return fd;
  Connection* made = new_connection();
  made->prepare_connect(fd, address, options);
  return made->id();
}

int Engine::listen(const Address& address, const std::string& path, const ListenOptions& options) {
  Listener* made = free_listener();
  const int error = made->open(address, path, options);
  if (error < 0) return error;
  free_listeners_.pop_back();
  return made->id();
}

// The last free listener; it remains in the list until it is open.
Listener* Engine::free_listener() {
  if (free_listeners_.empty()) {
    const auto id = static_cast<int32_t>(sources_.size());
    sources_.push_back(std::make_unique<Listener>(this, id));
    free_listeners_.push_back(id);
  }
  return static_cast<Listener*>(sources_[static_cast<size_t>(free_listeners_.back())].get());
}

bool Engine::owns(int fd) const {
  return std::any_of(sources_.begin(), sources_.end(), [fd](const auto& source) { return source->fd() == fd; });
}

int Engine::adopt(int fd, const ConnectionOptions& options) {
  const int family = sys::stream_family(fd);
  if (family < 0) return family;
  if (sys::is_listening(fd) != 0) return -EINVAL;
  // The loop knows only descriptors that it watches.
  if (owns(fd)) return -EEXIST;
  int error = sys::prepare_stream(fd);
  if (error < 0) return error;
  Connection* made = new_connection();
  error = made->adopt(fd, options, family);
  if (error == 0) return made->id();
  free_connections_.push_back(made->id());
  return error;
}

int Engine::adopt_listener(int fd, const ListenOptions& options) {
  const int family = sys::stream_family(fd);
  if (family < 0) return family;
  if (owns(fd)) return -EEXIST;
  Listener* made = free_listener();
  const int error = made->adopt(fd, family, options);
  if (error < 0) return error;
  free_listeners_.pop_back();
  return made->id();
}

int Engine::detach(int32_t id, uint64_t seen) {
  gather();
  Connection* found = connection(id);
  if (found == nullptr) return -EBADF;
  if (turn_.holds(id, Event::kReadError) || turn_.holds(id, Event::kWriteError)) return -EBUSY;
  const int fd = found->detach(seen);
  if (fd >= 0) retire(id);
  return fd;
}

std::vector<Completion> Engine::take_unread(int32_t id, uint64_t seen) {
  Connection* found = connection(id);
  if (found == nullptr || found->bytes_read() <= seen) return {};
  return turn_.take_last_reads(id, found->bytes_read() - seen);
}

int Engine::splice(int32_t source, int32_t target, uint64_t limit) {
  gather();
  Connection* from = connection(source);
  Connection* to = connection(target);
  if (from == nullptr || to == nullptr) return -EBADF;
  if (from == to) return -EINVAL;
  if (from->sink() != nullptr || !to->takes_feeder()) return -EBUSY;
  return from->start_sink(std::make_unique<Splice>(this, from, to, limit));
}

int Engine::receive_file(int32_t id, int file, int64_t offset, uint64_t limit,
                         std::function<void(uint64_t, int)> write_end) {
  Connection* from = connection(id);
  if (from == nullptr) return -EBADF;
  if (from->sink() != nullptr) return -EBUSY;
  const int own = sys::duplicate(file);
  if (own < 0) return own;
  return from->start_sink(std::make_unique<FileSink>(this, from, own, offset, limit, std::move(write_end)));
}

iovec Engine::scratch() {
  if (!scratch_) scratch_.reset(new char[kScratchBytes]);
  return {scratch_.get(), kScratchBytes};
}

void Engine::close_connection(int32_t id, bool reset) {
  Connection* found = connection(id);
  if (found == nullptr) return;
  found->close(reset);
  retire(id);
}

void Engine::close_listener(int32_t id) {
  Listener* found = listener(id);
  if (found == nullptr) return;
  found->close();
  retire(id);
}

void Engine::gather() {
  const size_t known = std::min(static_cast<size_t>(std::max(shared_.submitted, 0)), kMaxSubmissions);
  shared_.submitted = 0;
  for (size_t i = 0; i < known; ++i) {
    const Submission& submission = submissions_[i];
    Connection* to = connection(submission.id);
    const auto offset = static_cast<uint32_t>(submission.offset);
    const auto length = static_cast<uint32_t>(submission.length);
    // Closed meanwhile, or invalid: JavaScript can write anything here, so memory outside the arena must never be
    // accessed.
    if (to == nullptr || length == 0 || offset > kArenaBytes || length > kArenaBytes - offset) continue;
    const auto index = static_cast<int32_t>(segments_.size());
    segments_.push_back({offset, length, -1});
    const int32_t before = to->add_segment(index);
    if (before < 0) {
      touched_.push_back(submission.id);
    } else {
      segments_[static_cast<size_t>(before)].next = index;
    }
  }
  shared_.gathered = touched_.empty() ? 0 : 1;
}

std::vector<iovec>& Engine::parts_of(int32_t first_segment) {
  parts_.clear();
  for (int32_t at = first_segment; at >= 0; at = segment(at).next) {
    parts_.push_back({arena_.get() + segment(at).offset, segment(at).length});
  }
  return parts_;
}

size_t Engine::flush() {
  gather();
  size_t results = 0;
  while (flushed_ < touched_.size() && results < kMaxSubmissions) {
    const int32_t id = touched_[flushed_++];
    Connection* to = connection(id);
    // Already sent by a lent write, or closed since it was gathered.
    if (to == nullptr || !to->has_segments()) continue;
    const int error = to->send(nullptr);
    const size_t queued = to->queued();
    if (error == 0 && queued == 0) continue;
    results_[results++] = {id, error, static_cast<int32_t>(std::min<size_t>(queued, INT32_MAX))};
  }
  if (flushed_ < touched_.size()) return results;
  flushed_ = 0;
  touched_.clear();
  segments_.clear();
  shared_.gathered = 0;
  return results;
}

bool Engine::was_preempted() {
  const int64_t before = std::exchange(preemptions_, sys::preemptions());
  return preemptions_ != before;
}

void Engine::register_later(int32_t id) {
  registering_.push_back(id);
  if (!turn_.in_progress()) turn_.wake();
}

void Engine::update_interests() {
  for (size_t i = 0; i < registering_.size(); ++i) {
    Connection* found = connection(registering_[i]);
    if (found != nullptr) found->update_interest();
  }
  registering_.clear();
}

void Engine::keep_send_buffer(int fd) {
  for (const auto& source : sources_) {
    if (source->kind() != Source::Kind::kConnection || source->fd() != fd || fd < 0) continue;
    static_cast<Connection*>(source.get())->keep_send_buffer();
  }
}

void Engine::drop_spare() {
  if (spare_ >= 0) sys::close_descriptor(spare_);
  spare_ = -1;
}

void Engine::restore_spare() {
  if (spare_ < 0) spare_ = sys::open_spare();
}

void Engine::count_send(bool partial, bool refused) {
  ++counters_.sends;
  if (partial) ++counters_.partial_sends;
  if (refused) ++counters_.eagains;
}

void Engine::count_page(bool by_reference, size_t bytes, bool whole) {
  (by_reference ? counters_.page_bytes_by_reference : counters_.page_bytes_by_copy) += bytes;
  if (whole) ++(by_reference ? counters_.pages_by_reference : counters_.pages_by_copy);
}

void Engine::before_poll() { update_interests(); }

void Engine::deliver(size_t count) {
  ++counters_.turns;
  counters_.completions += count;
  // State of the outer delivery, if this one is nested.
  const int32_t outer_turn = shared_.in_turn;
  const Delivered outer = std::exchange(delivered_, {inbox_.used(), lent_.used()});
  shared_.in_turn = 1;
  shared_.completions = static_cast<int32_t>(count);
  // JavaScript clears these bits when it has provided the slots: those of an outer delivery may still be set.
  shared_.slots_wanted |= static_cast<int32_t>(blocks_.slots_wanted());
  shared_.results = 0;
  shared_.lent_replaced = lent_.is_shown() ? 0 : 1;
  const uint64_t began = uv_hrtime();
  shared_.turn_began = static_cast<double>(began) / kNanosPerMilli;
  delegate_->deliver();
  // Writes of a batch's only handler may have waited for the rest of the handler: this informs JavaScript that its
  // handlers run long.
  if (count == 1 && shared_.submitted > 0 && uv_hrtime() - began > kLongNanos && !was_preempted()) shared_.ran_long = 1;
  // The batch and its microtasks have run.
  flush_after_batch();
  shared_.in_turn = outer_turn;
  delivered_ = outer;
}

void Engine::flush_after_batch() {
  // The environment may have ended during the call.
  while (!closed_) {
    const size_t results = flush();
    if (results == 0) return;
    shared_.completions = 0;
    shared_.results = static_cast<int32_t>(results);
    delegate_->deliver();
    if (shared_.gathered == 0) return;
  }
}

void Engine::after_nested_turn() {
  inbox_.rewind(delivered_.inbox);
  lent_.rewind(delivered_.lent);
}

void Engine::closing() {
  if (!closed_) delegate_->closing();
}

void Engine::after_turn() {
  update_interests();
  inbox_.next_turn();
  lent_.next_turn();
  blocks_.next_turn();
  heap_top_.keep(uv_now(loop_.uv()));
  for (const int32_t id : retired_) {
    const bool is_connection = sources_[static_cast<size_t>(id)]->kind() == Source::Kind::kConnection;
    (is_connection ? free_connections_ : free_listeners_).push_back(id);
  }
  retired_.clear();
}

}  // namespace nearwire
