// The head of an HTTP/1.x message: what both ends must know of it, and no more.
#ifndef FLOOR_HTTP_HEAD_H
#define FLOOR_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Node's own limit (--max-http-header-size).
enum { HTTP_HEAD_LIMIT = 16 * 1024 };

struct http_fields {
  bool has_length;
  uint64_t length;  // Content-Length
  bool chunked;     // the last transfer coding
  bool close;       // Connection: close
  bool keep_alive;  // Connection: keep-alive
};

// Bytes of the head with the empty line that ends it; 0 if its end has not come yet.
size_t http_head_length(const char* data, size_t length);

// Reads the field lines, which stand between the first line and the end of the head. False if one is malformed.
bool http_fields_read(struct http_fields* fields, const char* head, size_t length);

#endif
