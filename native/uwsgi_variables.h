// Finds the parts of a uwsgi request's variables that every request needs, without copying them.
//
// Anything unusual is left to src/uwsgi/server-reader.ts, which reads the same bytes from the first one and says what
// is wrong with them, if anything is: variables that are truncated or have characters that they may not have, an Expect
// or an Upgrade, no URL, a variable that matters twice. So whatever is accepted here must mean the same there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "header_names.h"
#include "text_range.h"

namespace nearwire {

// Shared with JavaScript as Int32 words: src/binding/words.ts has the same order. Ranges are offsets from the first
// variable.
struct UwsgiHead {
  static constexpr int32_t kMaxHeaders = 64;

  // Of all variables.
  int32_t variable_count;
  // kNoContentLength (-1): none.
  int32_t content_length;
  int32_t header_count;
  TextRange method;
  TextRange url;
  // Of SERVER_PROTOCOL, where that is not HTTP/1.1; otherwise empty.
  TextRange protocol;
  // Name and value alternately. The start of a known name is its index, complemented: a negative number.
  TextRange headers[2 * kMaxHeaders];
};

// `names`: variables that are headers, such as HTTP_HOST and CONTENT_TYPE. Returns false if the variables, which are
// all of these bytes, are not usual ones; then `head` is undefined.
bool scan_uwsgi_variables(const char* bytes, size_t length, const HeaderNames& names, UwsgiHead* head);

}  // namespace nearwire
