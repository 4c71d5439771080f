// Which bytes are allowed in which part of a request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nearwire {

enum CharClass : uint8_t {
  // A header's name, and a method (RFC 9110, 5.6.2).
  kToken = 1,
  // A target that is a path and a query (RFC 3986, 3.3 and 3.4).
  kTarget = 2,
  // A header's value (RFC 9110, 5.5): printable, blanks, and what is not ASCII.
  kValue = 4,
  // What node's parser allows in a target: all that is printable.
  kUrl = 8,
};

constexpr std::array<uint8_t, 256> classify_characters() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const auto is_one_of = [c](std::string_view set) {
      return c < 0x80 && set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    uint8_t& of = classes[static_cast<size_t>(c)];
    if (alphanumeric || is_one_of("!#$%&'*+-.^_`|~")) of |= kToken;
    if (alphanumeric || is_one_of("-._~!$&'()*+,;=:@%/?")) of |= kTarget;
    if (c == '\t' || (c >= ' ' && c != 0x7f)) of |= kValue;
    if (c > ' ' && c < 0x7f) of |= kUrl;
  }
  return classes;
}

inline constexpr std::array<uint8_t, 256> kCharClasses = classify_characters();

inline bool is(CharClass of, char c) { return (kCharClasses[static_cast<uint8_t>(c)] & of) != 0; }

// How many bytes at the start of the text are a value's.
size_t values_at(std::string_view text);

}  // namespace nearwire
