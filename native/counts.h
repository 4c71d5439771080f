// What is counted, by the names that JavaScript has for it: one table for each kind. The order is that of the arrays in
// which the addon hands out the values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "connection.h"
#include "engine.h"
#include "spin.h"
#include "tally.h"

namespace nearwire {

struct Count {
  const char* name;
  uint64_t value;
};

inline auto counts_of(const EngineCounters& c, const SpinCounters& s) {
  return std::to_array<Count>({
      {"turns", c.turns},
      {"completions", c.completions},
      {"reads", c.reads},
      {"sends", c.sends},
      {"partialSends", c.partial_sends},
      {"eagains", c.eagains},
      {"accepted", c.accepted},
      {"dropped", c.dropped},
      {"spins", s.spins},
      {"spinHits", s.hits},
      {"spinMisses", s.misses},
      {"spinPolls", s.polls},
      {"pagesByReference", c.pages_by_reference},
      {"pageBytesByReference", c.page_bytes_by_reference},
      {"pagesByCopy", c.pages_by_copy},
      {"pageBytesByCopy", c.page_bytes_by_copy},
      {"files", c.files},
      {"filesCopied", c.files_copied},
      {"bytesByReference", c.bytes_by_reference},
  });
}

inline auto counts_of(const ConnectionCounters& counters) {
  const auto& [read, write, turns] = counters;
  return std::to_array<Count>({
      {"bytesRead", read.bytes},
      {"bytesWritten", write.bytes},
      {"reads", read.reads},
      {"sends", write.sends},
      {"partialSends", write.partial},
      {"eagains", read.eagains + write.eagains},
      {"turns", turns},
      {"files", write.files},
      {"filesCopied", write.files_copied},
      {"bytesByReference", write.bytes_by_reference},
      {"messages", read.messages},
      {"sendEagains", write.eagains},
      {"waits", write.waits},
      {"waitNanos", write.wait_nanos},
  });
}

inline auto counts_of(const TallyCounters& c) {
  return std::to_array<Count>({
      {"accepted", c.accepted},
      {"shed", c.shed},
      {"queueHighWater", c.queue_high_water},
      {"turns", c.turns},
      {"active", c.active},
      {"messages", c.messages},
      {"bytesRead", c.bytes_read},
      {"bytesWritten", c.bytes_written},
      {"reads", c.reads},
      {"readEagains", c.read_eagains},
      {"sends", c.sends},
      {"partialSends", c.partial_sends},
      {"sendEagains", c.send_eagains},
      {"waits", c.waits},
      {"waitNanos", c.wait_nanos},
  });
}

template <size_t N>
std::array<uint64_t, N> values_of(const std::array<Count, N>& counts) {
  std::array<uint64_t, N> values{};
  for (size_t i = 0; i < N; ++i) values.at(i) = counts.at(i).value;
  return values;
}

}  // namespace nearwire
