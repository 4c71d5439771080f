// Receive memory, of three kinds by owner:
// - The inbox belongs to the engine. Each turn refills it, and JavaScript copies what a program is to get into memory
//   that the program owns; no program ever sees the inbox.
// - The lent slab is visible to programs during their callbacks. Each turn refills it. A program may have detached it
//   in any way (a transfer, a byte stream), so it is checked before each read, and replaced.
// - Blocks are made by JavaScript, each for one full read. A read that fills a block gives it to the program as it is,
//   and the engine forgets it; after a shorter read JavaScript copies the bytes, and the block is reused.
// So a program always gets memory of its own, of exactly its length, as from node:net; and nothing that it does to that
// memory affects another connection.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace nearwire {

// Memory whose owner keeps it alive while this object exists.
class HeldMemory {
 public:
  virtual ~HeldMemory() = default;
  // Call again before each use: JavaScript may have detached the buffer, which then has no bytes.
  virtual char* data() = 0;
  virtual size_t size() = 0;
};

// Memory for the reads of a turn, one after the other.
class Slab {
 public:
  void assign(char* memory, size_t size) {
    memory_ = memory;
    size_ = size;
  }
  // Room for the next read. Empty if there is less than `least`: waiting for the next turn is better than a short read.
  iovec room(size_t least) const;
  // Records that `length` bytes have arrived; returns their offset.
  size_t take(size_t length);
  void next_turn() { used_ = 0; }
  // The amount in use, and a return to an earlier amount: bytes after it are no longer needed.
  size_t used() const { return used_; }
  void rewind(size_t used) { used_ = used; }
  bool contains(const void* bytes) const;

 private:
  char* memory_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

// The lent slab. Its memory is shared with the ArrayBuffers that expose it to JavaScript, which may outlive the engine,
// or may have been transferred: exposed memory is never freed while any of them exists.
class LentSlab {
 public:
  using Memory = std::shared_ptr<char[]>;

  // Enough for a turn of 16 connections that each fill a read, and small enough for a level-2 cache.
  static constexpr size_t kBytes = 1024 * 1024;

  LentSlab();
  // Room for the next read, in memory that JavaScript still has exposed or has yet to expose.
  iovec room();
  size_t take(size_t length) { return slab_.take(length); }
  void next_turn() { slab_.next_turn(); }
  size_t used() const { return slab_.used(); }
  void rewind(size_t used) { slab_.rewind(used); }
  bool contains(const void* bytes) const { return slab_.contains(bytes); }

  // The memory that JavaScript must expose from now on, through `show`. Data that this turn has read into detached
  // memory is copied to it, at the same offsets.
  const Memory& current();
  void show(std::unique_ptr<HeldMemory> shown) { shown_ = std::move(shown); }
  bool is_shown() const { return shown_ != nullptr; }
  void clear() { shown_.reset(); }

 private:
  void replace_if_detached();

  Memory memory_;
  Slab slab_;
  std::unique_ptr<HeldMemory> shown_;
};

class ReadBlocks {
 public:
  static constexpr int kSlots = 16;
  // The maximum of one read, as in libuv: programs depend on chunk boundaries.
  static constexpr size_t kReadSize = 64 * 1024;
  // If a peer's last read had this many bytes, the next is expected to fill a block. Below that the copy is the smaller
  // part of a read's cost, and a block would have to be copied from as well.
  static constexpr size_t kLongRead = kReadSize / 2;

  // A block to read into, of kReadSize bytes; -1: this turn has used all of them, and more will be requested.
  int next();
  char* memory(int slot) { return blocks_[static_cast<size_t>(slot)].memory; }
  // `length` bytes have been read into the block of next(). A full one belongs to JavaScript.
  void take(int slot, size_t length);

  void provide(int slot, std::unique_ptr<HeldMemory> block);
  // Slots that should be filled before the next turn, as bits.
  uint32_t slots_wanted();
  // JavaScript has copied what it needs of blocks that were not filled.
  void next_turn();
  void clear();

 private:
  struct Block {
    std::unique_ptr<HeldMemory> held;
    char* memory = nullptr;
    // Holds bytes of this turn.
    bool taken = false;
  };

  std::array<Block, kSlots> blocks_;
  int active_ = 2;
  // A turn ran out of blocks: use more from now on.
  bool ran_out_ = false;
  bool provided_ = false;
  // Whether a read has requested a block since the slots were last checked. Programs that read little get none.
  bool used_ = false;
};

}  // namespace nearwire
