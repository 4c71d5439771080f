#include "http_head.h"

#include <string.h>
#include <strings.h>

size_t http_head_length(const char* data, size_t length) {
  static const char end[] = {'\r', '\n', '\r', '\n'};
  const char* found = memmem(data, length, end, sizeof end);
  return found == NULL ? 0 : (size_t)(found - data) + sizeof end;
}

static bool names(const char* line, size_t length, const char* name) {
  return strlen(name) == length && strncasecmp(line, name, length) == 0;
}

static void trim(const char** text, size_t* length) {
  while (*length > 0 && (**text == ' ' || **text == '\t')) {
    (*text)++;
    (*length)--;
  }
  while (*length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t')) (*length)--;
}

static bool read_length(struct http_fields* fields, const char* value, size_t length) {
  uint64_t number = 0;
  if (length == 0 || length > 18 || fields->has_length) return false;  // 18 digits fit into 64 bits
  for (size_t i = 0; i < length; i++) {
    if (value[i] < '0' || value[i] > '9') return false;
    number = number * 10 + (uint64_t)(value[i] - '0');
  }
  fields->has_length = true;
  fields->length = number;
  return true;
}

static void read_connection(struct http_fields* fields, const char* value, size_t length) {
  while (length > 0) {
    const char* comma = memchr(value, ',', length);
    size_t size = comma == NULL ? length : (size_t)(comma - value);
    const char* option = value;
    size_t option_length = size;
    trim(&option, &option_length);
    if (names(option, option_length, "close")) fields->close = true;
    if (names(option, option_length, "keep-alive")) fields->keep_alive = true;
    size_t step = comma == NULL ? size : size + 1;
    value += step;
    length -= step;
  }
}

// Other codings than chunked are never asked for, so they are never right.
static bool read_coding(struct http_fields* fields, const char* value, size_t length) {
  fields->chunked = names(value, length, "chunked");
  return fields->chunked;
}

static bool read_field(struct http_fields* fields, const char* line, size_t length) {
  const char* colon = memchr(line, ':', length);
  if (colon == NULL || colon == line) return false;
  size_t name = (size_t)(colon - line);
  const char* value = colon + 1;
  size_t value_length = length - name - 1;
  trim(&value, &value_length);
  // Few field names are of interest: their lengths sort out nearly all others at no cost.
  if (names(line, name, "content-length")) return read_length(fields, value, value_length);
  if (names(line, name, "transfer-encoding")) return read_coding(fields, value, value_length);
  if (names(line, name, "connection")) read_connection(fields, value, value_length);
  return true;
}

bool http_fields_read(struct http_fields* fields, const char* head, size_t length) {
  *fields = (struct http_fields){0};
  const char* end = head + length - 2;  // before the empty line
  const char* line = memchr(head, '\n', length);
  if (line == NULL) return false;
  for (line++; line < end;) {
    const char* next = memchr(line, '\n', (size_t)(end - line));
    if (next == NULL || next[-1] != '\r') return false;
    if (!read_field(fields, line, (size_t)(next - 1 - line))) return false;
    line = next + 1;
  }
  return !(fields->chunked && fields->has_length);
}
