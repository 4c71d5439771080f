// Reads one HTTP/1.1 response as it comes: Content-Length, chunked, or up to the end of the connection.
#ifndef FLOOR_HTTP_RESPONSE_H
#define FLOOR_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_state {
  HTTP_IN_HEAD,
  HTTP_IN_BODY,        // `left` bytes to come
  HTTP_IN_CHUNK_SIZE,  // its digits
  HTTP_IN_CHUNK_LINE,  // the rest of the size's line
  HTTP_IN_CHUNK,       // `left` bytes to come
  HTTP_IN_CHUNK_END,   // the line end after them
  HTTP_IN_TRAILER,
  HTTP_UNTIL_END,  // the body ends with the connection
  HTTP_COMPLETE,
  HTTP_MALFORMED,
};

struct http_response {
  enum http_state state;
  bool begun;   // at least one byte has come
  bool closes;  // no other response follows on this connection
  int status;
  uint64_t body;    // bytes of the body, decoded
  uint32_t number;  // what its first four bytes say, the lowest one first
  uint64_t left;
  size_t digits;  // of a chunk's size, or bytes of a trailer's line
  char* partial;  // a head that came in pieces
  size_t partial_length;
  // Set after a reset by who knows the body: all of it is compared, or the first bytes of each piece that comes.
  const char* expected;
  size_t expected_length;
  bool compares_all;
  bool differs;  // which is also malformed
};

// Ready for the next response; frees what the last one held.
void http_response_reset(struct http_response* response);

// Takes what was read. Afterwards `state` tells: complete, malformed (also if more came than the response), or neither.
void http_response_feed(struct http_response* response, const char* data, size_t length);

// The connection has ended: completes a response that lasts until then.
void http_response_end(struct http_response* response);

#endif
