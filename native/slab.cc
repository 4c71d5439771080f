#include "slab.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "check.h"

namespace nearwire {

namespace {

// Reads start on a cache line of their own, which also keeps word-wise copies aligned.
constexpr size_t kAlignment = 64;
// Below this a read would be cut short for want of room; better in the next turn.
constexpr size_t kLeastLentRoom = 16 * 1024;

size_t aligned(size_t length, size_t alignment) { return (length + alignment - 1) & ~(alignment - 1); }

}  // namespace

iovec LentSlab::room() const {
  const size_t left = size_ - used_;
  if (left < kLeastLentRoom) return {nullptr, 0};
  return {memory_ + used_, left};
}

size_t LentSlab::take(size_t length) {
  NEARWIRE_CHECK(length <= size_ - used_);
  const size_t offset = used_;
  used_ = std::min(size_, used_ + aligned(length, kAlignment));
  return offset;
}

bool OwnedBlocks::usable(Block* block) {
  if (!block->held) return false;
  if (block->checked != epoch_) {
    if (block->held->size() != block->size) return false;
    block->checked = epoch_;
  }
  return true;
}

void OwnedBlocks::drop(Block* block) {
  if (block->held && block->size == kReadSize && std::greater<>()(block->memory, highest_address_)) {
    highest_address_ = block->memory;
    highest_ = std::move(block->held);
  }
  *block = Block{};
}

OwnedBlocks::Block* OwnedBlocks::current(Ring* ring) {
  for (; ring->current < ring->active; ++ring->current) {
    Block* block = at(*ring, ring->current);
    if (usable(block) && block->left() >= ring->least) return block;
    // Filled (JS has it from now on) or never provided.
    drop(block);
  }
  ring->ran_out = true;
  return nullptr;
}

OwnedBlocks::Block* OwnedBlocks::next_large() {
  const int next = large_.current + 1;
  if (next >= large_.active) return nullptr;
  Block* block = at(large_, next);
  return usable(block) && block->used == 0 ? block : nullptr;
}

size_t OwnedBlocks::room(size_t expected, std::array<iovec, kMaxParts>* parts) {
  used_ = true;
  size_t count = 0;
  size_t gap = 0;
  if (expected <= kSmallRead) {
    Block* small = current(&small_);
    if (small == nullptr) return 0;
    (*parts)[count++] = {small->memory + small->used, kSmallRead};
    // What overflows the small part lands behind a gap that the small part's bytes fit into.
    gap = kSmallRead;
  }
  for (Block* large = current(&large_); large != nullptr; large = current(&large_)) {
    const size_t left = std::min(large->left(), kReadSize);
    if (expected >= kLongRead && left < kReadSize) {
      drop(large);
      continue;
    }
    (*parts)[count++] = {large->memory + large->used + gap, left - gap};
    if (left == kReadSize) return count;
    if (Block* next = next_large()) {
      // And what overflows the current block lands where the fresh one would have it.
      (*parts)[count++] = {next->memory + left, kReadSize - left};
      return count;
    }
    // Too little for a full read, and nothing fresh behind it.
    --count;
    ++large_.current;
  }
  return 0;
}

uint32_t OwnedBlocks::take_from(const Ring& ring, size_t length) {
  Block* block = at(ring, ring.current);
  const auto slot = static_cast<uint32_t>(ring.first + ring.current);
  const auto offset = static_cast<uint32_t>(block->used);
  block->used = std::min(block->size, block->used + aligned(length, 8));
  return slot << kOffsetBits | offset;
}

uint32_t OwnedBlocks::take(size_t expected, size_t length) {
  NEARWIRE_CHECK(length <= kReadSize);
  const bool expected_short = expected <= kSmallRead;
  if (expected_short && length <= kSmallRead) return take_from(small_, length);
  Block* large = at(large_, large_.current);
  const size_t left = large->left();
  const size_t gap = expected_short ? kSmallRead : 0;
  char* to = large->memory + large->used;
  // One chunk, whatever its size: copying a head of 4 KiB, and seldom more, keeps libuv's chunk boundaries.
  if (length > left) {
    Block* next = next_large();
    NEARWIRE_CHECK(next != nullptr);
    memcpy(next->memory + gap, to + gap, left - gap);
    to = next->memory;
    ++large_.current;
  }
  if (expected_short) {
    const Block* small = at(small_, small_.current);
    memcpy(to, small->memory + small->used, kSmallRead);
  }
  return take_from(large_, length);
}

void OwnedBlocks::provide(int slot, std::unique_ptr<HeldMemory> held) {
  Block block;
  block.memory = held->data();
  block.size = held->size();
  block.held = std::move(held);
  blocks_[static_cast<size_t>(slot)] = std::move(block);
}

uint32_t OwnedBlocks::wanted(Ring* ring) {
  const bool ran_out = ring->ran_out;
  if (ran_out) ring->active = std::min(ring->active * 2, ring->limit);
  ring->ran_out = false;
  ring->current = 0;
  uint32_t slots = 0;
  for (int i = 0; i < ring->active; ++i) {
    const int slot = ring->first + i;
    Block& block = blocks_[static_cast<size_t>(slot)];
    // After a shortage only fresh blocks are sure to serve a full read.
    if (block.held && block.left() >= ring->least && (block.used == 0 || !ran_out)) continue;
    // JS keeps the full one until it has handed out this turn's chunks.
    drop(&block);
    slots |= 1U << slot;
  }
  return slots;
}

uint32_t OwnedBlocks::slots_wanted() {
  if (!used_) return 0;
  used_ = false;
  return wanted(&small_) | wanted(&large_);
}

void OwnedBlocks::clear() {
  for (Block& block : blocks_) block = Block{};
  highest_.reset();
  highest_address_ = nullptr;
}

}  // namespace nearwire
