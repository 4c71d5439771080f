// The parts of HTTP/1.x and of the uwsgi protocol that both ends need.
#ifndef FLOOR_HTTP_H
#define FLOOR_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

// Above node's own limit (--max-http-header-size), and above the longest packet of uwsgi.
enum { HTTP_HEAD_LIMIT = 128 * 1024 };

struct http_fields {
  bool malformed;
  bool has_length;
  uint64_t length;  // Content-Length
  bool chunked;     // the last transfer coding
  bool close;       // Connection: close
  bool keep_alive;  // Connection: keep-alive
};

// Returns the length of the header block including the empty line that ends it; 0 if it is incomplete. Reads the
// fields, which follow the first line.
size_t http_head_read(struct http_fields* fields, const char* data, size_t length);

// A uwsgi packet: modifier1, size of the variables (16 bits, little-endian), modifier2, the variables, each a key and a
// value with their lengths in 16 bits, and then the body.
// https://uwsgi-docs.readthedocs.io/en/latest/Protocol.html
enum { UWSGI_HEADER_LENGTH = 4 };

// Bytes of header and variables; 0 if they are incomplete.
size_t uwsgi_head_length(const char* data, size_t length);

// The request that a client sends repeatedly, according to the settings.
struct iovec http_request_make(void);

enum http_state {
  HTTP_IN_HEAD,
  HTTP_IN_BODY,        // `left` bytes to come
  HTTP_IN_CHUNK,       // `left` bytes to come
  HTTP_IN_CHUNK_SIZE,  // the line with its size
  HTTP_IN_CHUNK_END,   // the line end after the bytes
  HTTP_IN_TRAILER,
  HTTP_UNTIL_END,  // the body ends with the connection
  HTTP_COMPLETE,
  HTTP_MALFORMED,
};

// Parses one HTTP/1.1 response incrementally: Content-Length, chunked, or up to the end of the connection.
// Zero-initialized.
struct http_response {
  enum http_state state;
  bool closes;  // no other response follows on this connection
  int status;
  uint64_t body;    // bytes of the body, decoded
  uint32_t number;  // its first four bytes as a number, little-endian
  uint64_t left;
  // Set in advance if the body is known: all of it is compared, or the first bytes of each received piece.
  const char* expected;
  size_t expected_length;
  bool compares_all;
  bool differs;  // counts as malformed too
};

// Consumes as much of the received data as it can, and returns the number of bytes. Afterwards `state` is complete,
// malformed (also if more than the response arrived), or neither.
size_t http_response_feed(struct http_response* response, const char* data, size_t length);

#endif
