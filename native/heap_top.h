// Keeps glibc from returning the top of its heap to the system between two garbage collections.
//
// The memory of chunks is freed by the hundred in one collection. With the last of them glibc gives back the top of the
// heap, of which the next chunks are made: a page fault for each 4 KiB, which costs as much as receiving them. A block
// that stays allocated above them keeps the heap at its size, for as long as traffic goes on. Other C libraries have no
// such top; the block does nothing there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace nearwire {

class HeapTop {
 public:
  // Bytes that came or went: for most of them, memory is allocated here or by the program.
  void count(size_t bytes) { counted_ += bytes; }
  // Call between iterations, when chunks are still in use. `now`: the loop's clock in milliseconds.
  void keep(uint64_t now) {
    if (counted_ >= kLookEvery) raise();
    if (now - began_ >= kPeriod) begin_period(now);
  }
  void clear();

 private:
  // Bytes between two looks. The heap grows by many times as much between two collections.
  static constexpr size_t kLookEvery = 1024 * 1024;
  // As long as most chunks: a shorter one would often be found in a gap between others.
  static constexpr size_t kBlock = 64 * 1024;
  // Milliseconds. A heap that a burst has filled is given back after one to two of them; collections under traffic are
  // tens of milliseconds apart.
  static constexpr uint64_t kPeriod = 5'000;

  void raise();
  void begin_period(uint64_t now);

  size_t counted_ = 0;
  uint64_t began_ = 0;
  // The highest blocks of this period and of the last one.
  std::unique_ptr<char[]> highest_;
  std::unique_ptr<char[]> before_;
};

}  // namespace nearwire
