// Receive memory. Lent: one slab that each turn fills anew. Owned: blocks that JS made and keeps; short reads and long
// ones go to different blocks, so that a short chunk kept for long holds on to little.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace nearwire {

// Memory that someone else keeps alive while this object exists.
class HeldMemory {
 public:
  virtual ~HeldMemory() = default;
  // Asked anew before each use: JS may have detached the buffer, which then has no bytes.
  virtual char* data() = 0;
  virtual size_t size() = 0;
};

class LentSlab {
 public:
  void assign(char* memory, size_t size) {
    memory_ = memory;
    size_ = size;
  }
  // Where the next read may go. Empty when this turn has filled the slab.
  iovec room() const;
  // Notes that `length` bytes have come; returns their offset.
  size_t take(size_t length);
  void next_turn() { used_ = 0; }
  // How much is taken, and back to there: what has come since is not looked at any more.
  size_t used() const { return used_; }
  void rewind(size_t used) { used_ = used; }

 private:
  char* memory_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

// The blocks. A read is offered up to three parts (`room`): a little of a small block, what is left of the current
// large block, and a fresh one. What came is then placed in one piece (`take`): a short read stays in the small block,
// others go to where they fit, and only their head is copied.
class OwnedBlocks {
 public:
  static constexpr int kSlots = 31;
  // Slots from here on hold large blocks.
  static constexpr int kFirstLargeSlot = 15;
  static constexpr int kOffsetBits = 24;
  // A read up to this size costs a small block its own size, and no copy.
  static constexpr size_t kSmallRead = 4096;
  // The most that one read takes, as libuv: programs lean on chunk boundaries.
  static constexpr size_t kReadSize = 64 * 1024;
  // A peer that reads this much gets a fresh block for each read, as from libuv: filling blocks up would mean to copy.
  static constexpr size_t kLongRead = kReadSize / 2;
  // Less room than this at the end of a large block is given up.
  static constexpr size_t kLeastLarge = 2 * kSmallRead;

  static constexpr size_t kMaxParts = 3;
  // Returns the number of parts; 0: no block is left in this turn, more slots will be asked for. `expected` is what
  // the read may come to: where that is long, the bytes are to land where they stay.
  size_t room(size_t expected, std::array<iovec, kMaxParts>* parts);
  // Places `length` bytes just read into the parts of `room(expected)`; returns slot << kOffsetBits | offset.
  uint32_t take(size_t expected, size_t length);

  void provide(int slot, std::unique_ptr<HeldMemory> block);
  // To be called when JS may have run: its blocks are checked again before they are used.
  void distrust() { ++epoch_; }
  // Slots that should be filled before the next turn, as bits.
  uint32_t slots_wanted();
  void clear();

 private:
  struct Block {
    std::unique_ptr<HeldMemory> held;
    char* memory = nullptr;
    size_t size = 0;
    size_t used = 0;
    unsigned checked = 0;
    size_t left() const { return size - used; }
  };
  // Slots [first, first + active) of one kind, used one after the other.
  struct Ring {
    int first;
    int limit;
    // A block with less than this left is full.
    size_t least;
    int active = 2;
    int current = 0;
    // A turn ran out of blocks: have more from now on.
    bool ran_out = false;
  };

  // Leaves a block to JS. The one at the highest address is held on to: blocks die by the hundred in one collection,
  // and with the last of them glibc would give the top of its heap back to the system, to be faulted in again at once
  // (a seventh of the receiver's CPU in a stream). It keeps one block, and the heap at the size it had.
  void drop(Block* block);
  // The block to read into, or nullptr.
  Block* current(Ring* ring);
  // The block after the current large one, or nullptr.
  Block* next_large();
  Block* at(const Ring& ring, int index) { return &blocks_[static_cast<size_t>(ring.first + index)]; }
  uint32_t wanted(Ring* ring);
  uint32_t take_from(const Ring& ring, size_t length);

  // JS can detach a buffer that it has been given chunks of.
  bool usable(Block* block);

  std::array<Block, kSlots> blocks_;
  unsigned epoch_ = 1;
  std::unique_ptr<HeldMemory> highest_;
  const char* highest_address_ = nullptr;
  // Since the slots were last looked over, a read has asked for room.
  bool used_ = true;
  Ring small_{0, kFirstLargeSlot, kSmallRead};
  Ring large_{kFirstLargeSlot, kSlots - kFirstLargeSlot, kLeastLarge};
};

}  // namespace nearwire
