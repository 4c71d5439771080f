#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "http.h"

static bool names(const char* line, size_t length, const char* name) {
  return strlen(name) == length && strncasecmp(line, name, length) == 0;
}

static bool read_length(struct http_fields* fields, const char* value, size_t length) {
  if (length == 0 || length > 18 || fields->has_length) return false;  // 18 digits fit into 64 bits
  fields->has_length = true;
  for (size_t i = 0; i < length; i++) {
    if (!isdigit((unsigned char)value[i])) return false;
    fields->length = fields->length * 10 + (uint64_t)(value[i] - '0');
  }
  return true;
}

// Searches a list of options, none of which contains another.
static bool has_option(const char* value, size_t length, const char* option) {
  for (size_t at = 0; at + strlen(option) <= length; at++) {
    if ((value[at] | 0x20) == *option && strncasecmp(value + at, option, strlen(option)) == 0) return true;
  }
  return false;
}

static bool read_field(struct http_fields* fields, const char* line, size_t length) {
  const char* colon = memchr(line, ':', length);
  if (colon == NULL || colon == line) return false;
  size_t name = (size_t)(colon - line);
  const char* value = colon + 1;
  const char* end = line + length;
  while (value < end && isblank((unsigned char)*value)) value++;
  while (value < end && isblank((unsigned char)end[-1])) end--;
  size_t value_length = (size_t)(end - value);
  // Few field names are of interest: their lengths exclude nearly all others at no cost.
  if (names(line, name, "content-length")) return read_length(fields, value, value_length);
  // No codings other than chunked are ever requested, so others are never valid.
  if (names(line, name, "transfer-encoding")) return fields->chunked = names(value, value_length, "chunked");
  if (!names(line, name, "connection")) return true;
  bool keeps = names(value, value_length, "keep-alive");  // mostly
  fields->close |= !keeps && has_option(value, value_length, "close");
  fields->keep_alive |= keeps || has_option(value, value_length, "keep-alive");
  return true;
}

size_t http_head_read(struct http_fields* fields, const char* data, size_t length) {
  *fields = (struct http_fields){0};
  const char* end = data + length;
  const char* next;
  for (const char* line = data; (next = memchr(line, '\n', (size_t)(end - line))) != NULL; line = next + 1) {
    size_t line_length = (size_t)(next - line);
    bool ends_right = line_length > 0 && next[-1] == '\r';
    if (ends_right && line_length == 1) {
      fields->malformed |= fields->chunked && fields->has_length;
      return (size_t)(next + 1 - data);
    }
    if (!ends_right || (line > data && !read_field(fields, line, line_length - 1))) fields->malformed = true;
  }
  return 0;
}

size_t uwsgi_head_length(const char* data, size_t length) {
  if (length < UWSGI_HEADER_LENGTH) return 0;
  size_t whole = UWSGI_HEADER_LENGTH + (size_t)(unsigned char)data[1] + ((size_t)(unsigned char)data[2] << 8);
  return length < whole ? 0 : whole;
}
