// The digits of a Content-Length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nearwire {

inline constexpr int32_t kNoContentLength = -1;

// More digits may not fit an int32.
inline constexpr size_t kMaxContentLengthDigits = 9;

// Returns whether this is the request's first and a usual one: not empty, nothing but digits, not too long.
constexpr bool take_content_length(std::string_view digits, int32_t* content_length) {
  if (*content_length != kNoContentLength || digits.empty() || digits.size() > kMaxContentLengthDigits) return false;
  int32_t length = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return false;
    length = length * 10 + (digit - '0');
  }
  *content_length = length;
  return true;
}

}  // namespace nearwire
