// A part of a text, as JavaScript is told of it.
#pragma once

#include <cstdint>
#include <string_view>

namespace nearwire {

// Offsets from the start of the text.
struct TextRange {
  int32_t start;
  int32_t end;
};

inline TextRange range_within(std::string_view text, std::string_view part) {
  const auto start = static_cast<int32_t>(part.data() - text.data());
  return {start, start + static_cast<int32_t>(part.size())};
}

}  // namespace nearwire
