#include "characters.h"

#include <cstring>

namespace nearwire {

namespace {

constexpr uint64_t each_byte(uint64_t value) { return value * 0x0101010101010101; }

// Whether none of these eight bytes is a control character. A tab is one too, though values may have it.
bool are_values(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  // The subtraction sets the highest bit of a byte below ' ', and perhaps those of bytes above such a one.
  const uint64_t below_blank = (word - each_byte(' ')) & ~word;
  const uint64_t del = word ^ each_byte(0x7f);
  const uint64_t is_del = (del - each_byte(1)) & ~del;
  return ((below_blank | is_del) & each_byte(0x80)) == 0;
}

}  // namespace

size_t values_at(std::string_view text) {
  size_t at = 0;
  while (text.size() - at >= sizeof(uint64_t) && are_values(text.data() + at)) at += sizeof(uint64_t);
  while (at < text.size() && is(kValue, text[at])) ++at;
  return at;
}

}  // namespace nearwire
