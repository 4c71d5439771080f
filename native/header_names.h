// Names of headers that JavaScript has as strings: a scanned request refers to them by their index, and no string is
// made of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nearwire {

class HeaderNames {
 public:
  static constexpr int32_t kUnknown = -1;
  // Half as many as there are slots: chains stay short.
  static constexpr size_t kMost = 256;

  // The index of a name is the number of those before it. Returns false if there is no room.
  bool add(std::string_view name);

  // Distinguishes upper and lower case.
  int32_t find(std::string_view name) const;

 private:
  static constexpr size_t kSlots = 2 * kMost;

  static size_t first_slot(std::string_view name);

  std::vector<std::string> names_;
  // Indexes, increased by one; 0: empty.
  std::array<uint16_t, kSlots> slots_{};
};

}  // namespace nearwire
