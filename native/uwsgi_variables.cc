#include "uwsgi_variables.h"

#include <algorithm>
#include <string_view>

#include "characters.h"
#include "content_length.h"

namespace nearwire {

namespace {

using std::string_view;

constexpr string_view kHttpPrefix = "HTTP_";

bool are_all(CharClass of, string_view text) {
  return std::all_of(text.begin(), text.end(), [of](char c) { return is(of, c); });
}

class Scanner {
 public:
  Scanner(string_view text, const HeaderNames& names, UwsgiHead* head) : text_(text), names_(names), head_(head) {}

  bool scan() {
    head_->variable_count = 0;
    head_->content_length = kNoContentLength;
    head_->header_count = 0;
    head_->method = head_->url = head_->protocol = {};
    while (at_ < text_.size()) {
      string_view name;
      string_view value;
      if (!take_part(&name) || !take_part(&value) || !take_variable(name, value)) return false;
      ++head_->variable_count;
    }
    return is_given(head_->method) && is_given(head_->url);
  }

 private:
  // What its length, a little-endian number of two bytes, is before.
  bool take_part(string_view* part) {
    if (text_.size() - at_ < 2) return false;
    const size_t length = byte_at(at_) | byte_at(at_ + 1) << 8;
    at_ += 2;
    if (text_.size() - at_ < length) return false;
    *part = text_.substr(at_, length);
    at_ += length;
    return true;
  }

  bool take_variable(string_view name, string_view value) {
    if (name.starts_with(kHttpPrefix)) {
      return name != "HTTP_EXPECT" && name != "HTTP_UPGRADE" && take_header(name, value);
    }
    switch (name.size()) {
      case 11:
        return name != "REQUEST_URI" || (are_all(kUrl, value) && take_once(value, &head_->url));
      case 12:
        return name != "CONTENT_TYPE" || value.empty() || take_header(name, value);
      case 14:
        if (name == "REQUEST_METHOD") return are_all(kToken, value) && take_once(value, &head_->method);
        return name != "CONTENT_LENGTH" || value.empty() ||
               (take_content_length(value, &head_->content_length) && take_header(name, value));
      case 15:
        return name != "SERVER_PROTOCOL" || value == "HTTP/1.1" || take_once(value, &head_->protocol);
      default:
        return true;
    }
  }

  bool take_header(string_view name, string_view value) {
    if (head_->header_count == UwsgiHead::kMaxHeaders) return false;
    TextRange* header = &head_->headers[2 * head_->header_count++];
    header[0] = range_within(text_, name);
    header[1] = range_within(text_, value);
    const int32_t known = names_.find(name);
    if (known != HeaderNames::kUnknown) {
      header[0].start = ~known;
    } else if (!name.starts_with(kHttpPrefix) || name == kHttpPrefix || !are_all(kToken, name)) {
      return false;
    }
    return values_at(value) == value.size();
  }

  bool take_once(string_view value, TextRange* range) const {
    if (value.empty() || is_given(*range)) return false;
    *range = range_within(text_, value);
    return true;
  }

  static bool is_given(TextRange range) { return range.end > range.start; }

  size_t byte_at(size_t at) const { return static_cast<unsigned char>(text_[at]); }

  string_view text_;
  const HeaderNames& names_;
  UwsgiHead* head_;
  size_t at_ = 0;
};

}  // namespace

bool scan_uwsgi_variables(const char* bytes, size_t length, const HeaderNames& names, UwsgiHead* head) {
  return Scanner(string_view(bytes, length), names, head).scan();
}

}  // namespace nearwire
