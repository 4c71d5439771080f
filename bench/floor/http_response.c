#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"

// Compared bytes of a piece if the body is not compared as a whole: enough to detect a wrong position or another body.
enum { COMPARED_BYTES = 64 };

// "HTTP/1.1 200 OK"; -1 if it is not one.
static int read_status(const char* head, size_t length) {
  if (length < 13 || memcmp(head, "HTTP/1.", 7) != 0 || head[8] != ' ' || head[9] == '0') return -1;
  int status = 0;
  for (int i = 9; i < 12; i++) {
    if (!isdigit((unsigned char)head[i])) return -1;
    status = status * 10 + head[i] - '0';
  }
  return status;
}

static enum http_state start_body(struct http_response* response, const struct http_fields* fields) {
  // They have no body, regardless of the fields.
  if (response->status == 204 || response->status == 304) return HTTP_COMPLETE;
  if (fields->chunked) return HTTP_IN_CHUNK_SIZE;
  if (!fields->has_length) {
    response->closes = true;
    return HTTP_UNTIL_END;
  }
  response->left = fields->length;
  return fields->length == 0 ? HTTP_COMPLETE : HTTP_IN_BODY;
}

static size_t feed_head(struct http_response* response, const char* data, size_t length) {
  struct http_fields fields;
  size_t head = http_head_read(&fields, data, length);
  if (head == 0) return 0;
  response->status = read_status(data, head);
  if (response->status < 0 || fields.malformed) {
    response->state = HTTP_MALFORMED;
  } else if (response->status >= 200) {  // others are interim responses: the final one follows
    bool http_1_0 = data[7] == '0';
    response->closes = fields.close || (http_1_0 && !fields.keep_alive);
    response->state = start_body(response, &fields);
  }
  return head;
}

// Whether these bytes of the body are the expected ones.
static bool is_right(const struct http_response* response, const char* data, size_t length) {
  if (response->expected == NULL) return true;
  size_t compared = response->compares_all || length < COMPARED_BYTES ? length : COMPARED_BYTES;
  return response->body + length <= response->expected_length &&
         memcmp(data, response->expected + response->body, compared) == 0;
}

static void take_body(struct http_response* response, const char* data, size_t length) {
  response->differs = !is_right(response, data, length);
  if (response->differs) response->state = HTTP_MALFORMED;
  for (size_t i = 0; i < length && response->body + i < sizeof response->number; i++) {
    response->number |= (uint32_t)(unsigned char)data[i] << (8 * (response->body + i));
  }
  response->body += length;
}

static size_t feed_bytes(struct http_response* response, const char* data, size_t length) {
  size_t taken = length < response->left ? length : (size_t)response->left;
  response->left -= taken;
  if (response->left == 0) response->state = response->state == HTTP_IN_CHUNK ? HTTP_IN_CHUNK_END : HTTP_COMPLETE;
  take_body(response, data, taken);
  return taken;
}

// "1a2b", possibly followed by an extension.
static enum http_state read_chunk_size(struct http_response* response, const char* line) {
  char* end;
  response->left = strtoull(line, &end, 16);
  if (!isxdigit((unsigned char)line[0]) || strchr("\r\n; ", *end) == NULL) return HTTP_MALFORMED;
  return response->left == 0 ? HTTP_IN_TRAILER : HTTP_IN_CHUNK;
}

// Between chunks, and after them, there are lines.
static size_t feed_line(struct http_response* response, const char* data, size_t length) {
  const char* end = memchr(data, '\n', length);
  if (end == NULL) return 0;
  bool empty = end == data || (end == data + 1 && data[0] == '\r');
  if (response->state == HTTP_IN_CHUNK_SIZE) {
    response->state = read_chunk_size(response, data);
  } else if (response->state == HTTP_IN_CHUNK_END) {
    response->state = empty ? HTTP_IN_CHUNK_SIZE : HTTP_MALFORMED;
  } else if (empty) {
    response->state = HTTP_COMPLETE;
  }
  return (size_t)(end - data) + 1;
}

static size_t feed_some(struct http_response* response, const char* data, size_t length) {
  switch (response->state) {
    case HTTP_IN_HEAD:
      return feed_head(response, data, length);
    case HTTP_IN_BODY:
    case HTTP_IN_CHUNK:
      return feed_bytes(response, data, length);
    case HTTP_UNTIL_END:
      take_body(response, data, length);
      return length;
    case HTTP_COMPLETE:
      response->state = HTTP_MALFORMED;
      return length;
    default:
      return feed_line(response, data, length);
  }
}

size_t http_response_feed(struct http_response* response, const char* data, size_t length) {
  size_t used = 0;
  size_t taken = 1;
  for (; used < length && taken > 0; used += taken) taken = feed_some(response, data + used, length - used);
  if (length - used > HTTP_HEAD_LIMIT) response->state = HTTP_MALFORMED;
  return used;
}
