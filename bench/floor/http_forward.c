#include "http_forward.h"

#include <string.h>
#include <strings.h>

static const char version[] = "HTTP/1.1";
enum { VERSION_LENGTH = sizeof version - 1 };

static const char* const connection_fields[] = {"connection", "keep-alive", "proxy-connection", "te", "upgrade"};

static bool is_version(const char* text) {
  return memcmp(text, "HTTP/1.", VERSION_LENGTH - 1) == 0 && text[VERSION_LENGTH - 1] >= '0' &&
         text[VERSION_LENGTH - 1] <= '9';
}

static bool is_for_one_connection(const char* line, size_t length) {
  const char* colon = memchr(line, ':', length);
  if (colon == NULL) return false;
  size_t name = (size_t)(colon - line);
  for (size_t i = 0; i < sizeof connection_fields / sizeof connection_fields[0]; i++) {
    if (strlen(connection_fields[i]) == name && strncasecmp(line, connection_fields[i], name) == 0) return true;
  }
  return false;
}

static char* put(char* out, const char* data, size_t length) {
  memcpy(out, data, length);
  return out + length;
}

// From behind the first line on.
static size_t forward_fields(char* out, char* next, const char* line, const char* end, bool keep_alive) {
  while (line < end) {
    const char* line_end = memchr(line, '\n', (size_t)(end - line));
    if (line_end == NULL) return 0;
    size_t length = (size_t)(line_end + 1 - line);
    if (!is_for_one_connection(line, length)) next = put(next, line, length);
    line += length;
  }
  static const char keep[] = "Connection: keep-alive\r\n\r\n";
  static const char close[] = "Connection: close\r\n\r\n";
  next = keep_alive ? put(next, keep, sizeof keep - 1) : put(next, close, sizeof close - 1);
  return (size_t)(next - out);
}

static const char* second_line(const char* head, size_t length) {
  const char* end = memchr(head, '\n', length);
  return end == NULL ? NULL : end + 1;
}

size_t http_forward_request(char* out, const char* head, size_t length, bool keep_alive) {
  const char* fields = second_line(head, length);
  const size_t shortest = sizeof "GET / HTTP/1.1\r\n" - 1;
  if (fields == NULL || (size_t)(fields - head) < shortest) return 0;
  const char* found = fields - 2 - VERSION_LENGTH;
  if (fields[-2] != '\r' || found[-1] != ' ' || !is_version(found)) return 0;
  char* next = put(out, head, (size_t)(found - head));
  next = put(next, version, VERSION_LENGTH);
  next = put(next, "\r\n", 2);
  return forward_fields(out, next, fields, head + length - 2, keep_alive);
}

size_t http_forward_response(char* out, const char* head, size_t length, bool keep_alive) {
  const char* fields = second_line(head, length);
  if (fields == NULL || (size_t)(fields - head) < VERSION_LENGTH || !is_version(head)) return 0;
  char* next = put(out, version, VERSION_LENGTH);
  next = put(next, head + VERSION_LENGTH, (size_t)(fields - head) - VERSION_LENGTH);
  return forward_fields(out, next, fields, head + length - 2, keep_alive);
}
