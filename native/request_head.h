// The head of a plain HTTP/1.1 request, found without being copied.
//
// "Plain" is what nearly all requests on a kept-alive connection are. Anything else is not refused, it is left to
// node's own parser, which sees the same bytes from their start: other versions and methods, a target that is no path,
// folded or malformed lines, Transfer-Encoding, Upgrade, Expect, a Connection other than keep-alive, an odd
// Content-Length, a head that is not all there. So what is accepted here must mean the same to node's parser, and
// nothing more is asked.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nearwire {

// Shared with JS as Int32 words: src/binding/words.ts has the same order.
struct RequestHead {
  // node's parser tells of longer lists in pieces, the first of them when it meets the 32nd header.
  static constexpr int32_t kMaxHeaders = 31;

  struct Range {
    int32_t start;
    int32_t end;
  };

  // An index into kMethods of request_head.cc.
  int32_t method;
  // -1: none.
  int32_t content_length;
  int32_t header_count;
  Range target;
  // Name and value of each in turn, as offsets from the start of the head.
  Range headers[2 * kMaxHeaders];
};

// The length of the head, its blank line included; 0 if it is not a plain one, and `head` is then undefined.
size_t scan_request_head(const char* bytes, size_t length, RequestHead* head);

}  // namespace nearwire
