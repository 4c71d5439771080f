// The digits of a Content-Length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nearwire {

inline constexpr int32_t kNoContentLength = -1;

// More digits may not fit an int32.
inline constexpr size_t kMaxContentLengthDigits = 9;

// kNoContentLength where this is no usual length: empty, with anything but digits, or too long.
constexpr int32_t parse_content_length(std::string_view digits) {
  if (digits.empty() || digits.size() > kMaxContentLengthDigits) return kNoContentLength;
  int32_t length = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return kNoContentLength;
    length = length * 10 + (digit - '0');
  }
  return length;
}

}  // namespace nearwire
