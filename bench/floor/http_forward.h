// The head of a message as a proxy gives it on.
#ifndef FLOOR_HTTP_FORWARD_H
#define FLOOR_HTTP_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "http_head.h"

// What a forwarded head may be longer than it came.
enum { HTTP_FORWARD_ROOM = 64 };

// Writes the head as HTTP/1.1, without the fields that are for one connection only (RFC 9110, 7.6.1) and with a
// Connection field of ours. `out` has room for length + HTTP_FORWARD_ROOM bytes. Returns how many were written; 0 if
// the first line is none of HTTP/1.x.
size_t http_forward_request(char* out, const char* head, size_t length, bool keep_alive);
size_t http_forward_response(char* out, const char* head, size_t length, bool keep_alive);

#endif
