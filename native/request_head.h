// Finds the parts of a plain HTTP/1 request's headers without copying them.
//
// "Plain" covers nearly all requests. Anything else is not rejected but left to node's own parser, which gets the same
// bytes from the first one: other versions and methods, a target that is not a path, folded or malformed lines,
// Transfer-Encoding, Upgrade, Expect, a Connection other than keep-alive or close, an unusual Content-Length,
// incomplete headers. So whatever is accepted here must mean the same to node's parser, and nothing more is required.
#pragma once

#include <cstddef>
#include <cstdint>

#include "header_names.h"
#include "text_range.h"

namespace nearwire {

// Shared with JavaScript as Int32 words: src/binding/words.ts has the same order.
struct RequestHead {
  // Node's parser reports longer lists in pieces, the first of them when it reaches the 32nd header.
  static constexpr int32_t kMaxHeaders = 31;

  // An index into kMethods of request_head.cc.
  int32_t method;
  // kNoContentLength (-1): none.
  int32_t content_length;
  int32_t header_count;
  // 0 or 1.
  int32_t minor_version;
  // Whether another request may follow on the connection; 0 or 1.
  int32_t keeps_alive;
  // Whether there is a Host; 0 or 1.
  int32_t has_host;
  TextRange target;
  // Name and value alternately, as offsets from the start of the headers. The start of a known name is its index,
  // complemented: a negative number.
  TextRange headers[2 * kMaxHeaders];
};

// The length of the header block including its blank line; 0 if it is not plain, and then `head` is undefined.
size_t scan_request_head(const char* bytes, size_t length, const HeaderNames& names, RequestHead* head);

}  // namespace nearwire
