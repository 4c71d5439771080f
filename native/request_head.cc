#include "request_head.h"

#include <array>
#include <string_view>

#include "characters.h"
#include "content_length.h"

namespace nearwire {

namespace {

using std::string_view;

// Longer header blocks are left to node: its limit is the server's maxHeaderSize, usually 16 KiB.
constexpr size_t kMaxHeadBytes = 8 * 1024;
// src/node/http-parser.ts has the same order.
constexpr std::array<string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
constexpr string_view kVersion = " HTTP/1.";

bool equals_ignoring_case(string_view text, string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != lower[i]) return false;
  }
  return true;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

class Scanner {
 public:
  Scanner(string_view text, const HeaderNames& names, RequestHead* head) : text_(text), names_(names), head_(head) {}

  size_t scan() {
    if (!scan_request_line()) return 0;
    head_->content_length = kNoContentLength;
    head_->header_count = 0;
    head_->keeps_alive = head_->minor_version;
    head_->has_host = 0;
    while (!skip("\r\n")) {
      if (head_->header_count == RequestHead::kMaxHeaders || !scan_header()) return 0;
    }
    return at_;
  }

 private:
  bool scan_request_line() {
    const string_view method = run(kToken);
    size_t index = 0;
    while (index < kMethods.size() && kMethods[index] != method) ++index;
    if (index == kMethods.size() || !skip(" ")) return false;
    head_->method = static_cast<int32_t>(index);
    const string_view target = run(kTarget);
    if (target.empty() || target[0] != '/') return false;
    head_->target = range_within(text_, target);
    if (!skip(kVersion)) return false;
    head_->minor_version = skip("1") ? 1 : 0;
    return (head_->minor_version == 1 || skip("0")) && skip("\r\n");
  }

  bool scan_header() {
    const string_view name = run(kToken);
    if (name.empty() || !skip(":")) return false;
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    const string_view line = run_of_values();
    string_view value = line;
    while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
    const bool trimmed = value.size() < line.size();
    if (!skip("\r\n") || !is_plain(name, value, trimmed)) return false;
    TextRange* header = &head_->headers[2 * head_->header_count++];
    header[0] = range_within(text_, name);
    const int32_t known = names_.find(name);
    if (known != HeaderNames::kUnknown) header[0].start = ~known;
    header[1] = range_within(text_, value);
    return true;
  }

  // False for headers that change how the message is read, or what follows it.
  bool is_plain(string_view name, string_view value, bool trimmed) {
    switch (name.size()) {
      case 4:
        if (equals_ignoring_case(name, "host")) head_->has_host = 1;
        return true;
      case 6:
        return !equals_ignoring_case(name, "expect");
      case 7:
        return !equals_ignoring_case(name, "upgrade");
      case 10:
        // To llhttp, a token with a tab behind it is another one.
        return !equals_ignoring_case(name, "connection") || (!trimmed && take_connection(value));
      case 14:
        // Versions of llhttp differ in which blanks may follow a length.
        return !equals_ignoring_case(name, "content-length") ||
               (!trimmed && take_content_length(value, &head_->content_length));
      case 16:
        return !equals_ignoring_case(name, "proxy-connection");
      case 17:
        return !equals_ignoring_case(name, "transfer-encoding");
      default:
        return true;
    }
  }

  bool take_connection(string_view value) {
    // Several of them are combined in ways of their own.
    if (has_connection_) return false;
    has_connection_ = true;
    head_->keeps_alive = equals_ignoring_case(value, "keep-alive") ? 1 : 0;
    return head_->keeps_alive == 1 || equals_ignoring_case(value, "close");
  }

  // Most bytes of a head are values.
  string_view run_of_values() { return taken(at_ + values_at(text_.substr(at_))); }

  string_view run(CharClass of) {
    size_t end = at_;
    while (end < text_.size() && is(of, text_[end])) ++end;
    return taken(end);
  }

  string_view taken(size_t end) {
    const string_view part = text_.substr(at_, end - at_);
    at_ = end;
    return part;
  }

  bool skip(string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  string_view text_;
  const HeaderNames& names_;
  RequestHead* head_;
  size_t at_ = 0;
  bool has_connection_ = false;
};

}  // namespace

size_t scan_request_head(const char* bytes, size_t length, const HeaderNames& names, RequestHead* head) {
  return Scanner(string_view(bytes, length < kMaxHeadBytes ? length : kMaxHeadBytes), names, head).scan();
}

}  // namespace nearwire
