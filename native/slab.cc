#include "slab.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "check.h"

namespace nearwire {

namespace {

// Reads start on their own cache line, which also keeps word-wise copies aligned.
constexpr size_t kAlignment = 64;
// A lent read with less room than this would be cut short.
constexpr size_t kLeastLentRoom = 16 * 1024;

size_t aligned(size_t length) { return (length + kAlignment - 1) & ~(kAlignment - 1); }

}  // namespace

iovec Slab::room(size_t least) const {
  const size_t left = size_ - used_;
  if (left < least) return {nullptr, 0};
  return {memory_ + used_, left};
}

size_t Slab::take(size_t length) {
  NEARWIRE_CHECK(length <= size_ - used_);
  const size_t offset = used_;
  used_ = std::min(size_, used_ + aligned(length));
  return offset;
}

bool Slab::contains(const void* bytes) const {
  const std::less<const void*> before;
  return !before(bytes, memory_) && before(bytes, memory_ + size_);
}

LentSlab::LentSlab() : memory_(new char[kBytes]) { slab_.assign(memory_.get(), kBytes); }

iovec LentSlab::room() {
  replace_if_detached();
  return slab_.room(kLeastLentRoom);
}

const LentSlab::Memory& LentSlab::current() {
  replace_if_detached();
  return memory_;
}

void LentSlab::replace_if_detached() {
  if (!shown_ || (shown_->data() == memory_.get() && shown_->size() == kBytes)) return;
  shown_.reset();
  Memory fresh(new char[kBytes]);
  // Completions of this turn point into it: the other connections must not lose their data.
  memcpy(fresh.get(), memory_.get(), slab_.used());
  memory_ = std::move(fresh);
  slab_.assign(memory_.get(), kBytes);
}

int ReadBlocks::next() {
  used_ = true;
  for (int slot = 0; slot < active_; ++slot) {
    Block& block = blocks_[static_cast<size_t>(slot)];
    if (!block.held || block.taken) continue;
    if (block.held->data() == block.memory && block.held->size() == kReadSize) return slot;
    block = Block{};
  }
  ran_out_ = true;
  return -1;
}

void ReadBlocks::take(int slot, size_t length) {
  NEARWIRE_CHECK(length <= kReadSize);
  Block& block = blocks_[static_cast<size_t>(slot)];
  if (length == kReadSize) {
    block = Block{};
  } else {
    block.taken = true;
  }
}

void ReadBlocks::provide(int slot, std::unique_ptr<HeldMemory> held) {
  if (slot < 0 || slot >= kSlots || held->size() != kReadSize) return;
  Block& block = blocks_[static_cast<size_t>(slot)];
  // Bytes that have not been delivered yet stay where they are.
  if (block.held) return;
  block.memory = held->data();
  block.held = std::move(held);
  provided_ = true;
}

uint32_t ReadBlocks::slots_wanted() {
  if (!used_) return 0;
  used_ = false;
  if (ran_out_ && provided_) active_ = std::min(active_ * 2, kSlots);
  ran_out_ = false;
  uint32_t slots = 0;
  for (int slot = 0; slot < active_; ++slot) {
    if (!blocks_[static_cast<size_t>(slot)].held) slots |= 1U << slot;
  }
  return slots;
}

void ReadBlocks::next_turn() {
  for (Block& block : blocks_) block.taken = false;
}

void ReadBlocks::clear() {
  for (Block& block : blocks_) block = Block{};
}

}  // namespace nearwire
