// Receive memory, of three kinds, by whose it is:
//
// - The inbox is the engine's own. Each turn fills it anew, and JS copies what a program is to have into memory of that
//   program's; no program ever sees it.
// - The lent slab is shown to programs, for the time of their callbacks. Each turn fills it anew. A program may have
//   detached it by any road (a transfer, a byte stream): it is looked at before each read, and replaced.
// - Blocks are made by JS, each for one full read. A read that fills a block gives it to the program as it is, and the
//   engine forgets it; of a shorter one JS copies the bytes, and the block is used again.
//
// So what a program is given has memory of its own, of exactly its length, as from node:net; and nothing that it does
// to that memory reaches another connection.
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

// Where the reads of a turn go, one behind the other.
class Slab {
 public:
  void assign(char* memory, size_t size) {
    memory_ = memory;
    size_ = size;
  }
  // Where the next read may go. Empty where there is less room than `least`: better in the next turn than cut short.
  iovec room(size_t least) const;
  // Notes that `length` bytes have come; returns their offset.
  size_t take(size_t length);
  void next_turn() { used_ = 0; }
  // How much is taken, and back to there: what has come since is not looked at any more.
  size_t used() const { return used_; }
  void rewind(size_t used) { used_ = used; }
  bool contains(const void* bytes) const;

 private:
  char* memory_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

// The lent slab. Its memory is shared with the ArrayBuffers that show it to JS, which may outlive the engine, or have
// got another owner: memory that has been shown is never freed under anybody.
class LentSlab {
 public:
  using Memory = std::shared_ptr<char[]>;

  // Enough for a turn of 16 connections that each fill a read, and small enough for a level-2 cache.
  static constexpr size_t kBytes = 1024 * 1024;

  LentSlab();
  // Where the next read may go, in memory that JS still shows or has yet to show.
  iovec room();
  size_t take(size_t length) { return slab_.take(length); }
  void next_turn() { slab_.next_turn(); }
  size_t used() const { return slab_.used(); }
  void rewind(size_t used) { slab_.rewind(used); }
  bool contains(const void* bytes) const { return slab_.contains(bytes); }

  // JS is to show this memory from now on, by `show`. What this turn has read into memory that was detached lies there
  // too, at the same offsets.
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
  // The most that one read takes, as libuv: programs lean on chunk boundaries.
  static constexpr size_t kReadSize = 64 * 1024;
  // A peer whose last read had as many bytes is expected to fill a block. Below that the copy is the lesser part of a
  // read's cost, and a block would be copied from as well.
  static constexpr size_t kLongRead = kReadSize / 2;

  // A block to read into, of kReadSize bytes; -1: this turn has used all that there are, more will be asked for.
  int next();
  char* memory(int slot) { return blocks_[static_cast<size_t>(slot)].memory; }
  // `length` bytes have been read into the block of next(). A full one is JS's.
  void take(int slot, size_t length);

  void provide(int slot, std::unique_ptr<HeldMemory> block);
  // Slots that should be filled before the next turn, as bits.
  uint32_t slots_wanted();
  // JS has copied what it wanted of blocks that were not filled.
  void next_turn();
  void clear();

 private:
  struct Block {
    std::unique_ptr<HeldMemory> held;
    char* memory = nullptr;
    // Holds bytes of this turn.
    bool taken = false;
  };

  // Leaves a block to JS. The one at the highest address is held on to: blocks die by the hundred in one collection,
  // and with the last of them glibc would give the top of its heap back to the system, to be faulted in again at once
  // (a seventh of the receiver's CPU in a stream). It keeps one block, and the heap at the size it had.
  void drop(Block* block);

  std::array<Block, kSlots> blocks_;
  std::unique_ptr<HeldMemory> highest_;
  const char* highest_address_ = nullptr;
  int active_ = 2;
  // A turn ran out of blocks: have more from now on.
  bool ran_out_ = false;
  bool provided_ = false;
  // Since the slots were last looked over, a read has asked for one. Programs that read little have none made.
  bool used_ = false;
};

}  // namespace nearwire
