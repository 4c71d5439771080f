#include "http_response.h"

#include <stdlib.h>
#include <string.h>

#include "http_head.h"
#include "report.h"

// More hexadecimal digits than a chunk's size needs in 60 bits.
enum { CHUNK_DIGITS_LIMIT = 15 };

// Of a piece of a body that is not compared whole: enough to see that it is from another place, or of another body.
enum { COMPARED_BYTES = 64 };

void http_response_reset(struct http_response* response) {
  free(response->partial);
  *response = (struct http_response){.state = HTTP_IN_HEAD};
}

static int digit(char byte) { return byte >= '0' && byte <= '9' ? byte - '0' : -1; }

// "HTTP/1.1 200 OK"; -1 if it is not one.
static int read_status(const char* head, size_t length) {
  static const char version[] = "HTTP/1.";
  const size_t code = sizeof version + 1;  // after the minor version and the space
  if (length < code + 4 || memcmp(head, version, sizeof version - 1) != 0 || head[code - 1] != ' ') return -1;
  int hundreds = digit(head[code]);
  int tens = digit(head[code + 1]);
  int ones = digit(head[code + 2]);
  if (hundreds < 1 || tens < 0 || ones < 0) return -1;
  return hundreds * 100 + tens * 10 + ones;
}

static void start_body(struct http_response* response, const struct http_fields* fields) {
  if (response->status == 204 || response->status == 304) {
    response->state = HTTP_COMPLETE;  // they have no body, whatever the fields say
  } else if (fields->chunked) {
    response->state = HTTP_IN_CHUNK_SIZE;
  } else if (!fields->has_length) {
    response->state = HTTP_UNTIL_END;
    response->closes = true;
  } else {
    response->left = fields->length;
    response->state = fields->length == 0 ? HTTP_COMPLETE : HTTP_IN_BODY;
  }
}

static void read_head(struct http_response* response, const char* head, size_t length) {
  struct http_fields fields;
  response->status = read_status(head, length);
  if (response->status < 0 || !http_fields_read(&fields, head, length)) {
    response->state = HTTP_MALFORMED;
    return;
  }
  if (response->status < 200) return;  // an interim response: the real one follows
  bool http_1_0 = head[7] == '0';
  response->closes = fields.close || (http_1_0 && !fields.keep_alive);
  start_body(response, &fields);
}

static void append(struct http_response* response, const char* data, size_t length) {
  char* joined = realloc(response->partial, response->partial_length + length);
  if (joined == NULL) fail("out of memory");
  memcpy(joined + response->partial_length, data, length);
  response->partial = joined;
  response->partial_length += length;
}

// The usual head comes whole and is read where it lies; one in pieces is put together first.
static size_t feed_head(struct http_response* response, const char* data, size_t length) {
  size_t held = response->partial_length;
  if (held == 0) {
    size_t whole = http_head_length(data, length);
    if (whole > 0) {
      read_head(response, data, whole);
      return whole;
    }
  }
  append(response, data, length);
  size_t whole = http_head_length(response->partial, response->partial_length);
  if (whole == 0) {
    if (response->partial_length > HTTP_HEAD_LIMIT) response->state = HTTP_MALFORMED;
    return length;
  }
  read_head(response, response->partial, whole);
  free(response->partial);
  response->partial = NULL;
  response->partial_length = 0;
  return whole - held;
}

// Takes bytes of the body; false if they are not those that are expected.
static bool take_body(struct http_response* response, const char* data, size_t length) {
  if (response->expected != NULL) {
    size_t compared = response->compares_all || length < COMPARED_BYTES ? length : COMPARED_BYTES;
    bool fits = response->body <= response->expected_length && length <= response->expected_length - response->body;
    response->differs = !fits || memcmp(data, response->expected + response->body, compared) != 0;
  }
  for (size_t i = 0; i < length && response->body + i < sizeof response->number; i++) {
    response->number |= (uint32_t)(unsigned char)data[i] << (8 * (response->body + i));
  }
  response->body += length;
  if (response->differs) response->state = HTTP_MALFORMED;
  return !response->differs;
}

static size_t feed_bytes(struct http_response* response, const char* data, size_t length, enum http_state next) {
  size_t taken = length < response->left ? length : (size_t)response->left;
  response->left -= taken;
  if (take_body(response, data, taken) && response->left == 0) response->state = next;
  return taken;
}

static void feed_size_digit(struct http_response* response, char byte) {
  int value = digit(byte);
  if (value < 0 && (byte | 0x20) >= 'a' && (byte | 0x20) <= 'f') value = (byte | 0x20) - 'a' + 10;
  if (value >= 0 && response->digits < CHUNK_DIGITS_LIMIT) {
    response->left = response->left * 16 + (uint64_t)value;
    response->digits++;
  } else {
    bool ends = response->digits > 0 && (byte == '\r' || byte == ';' || byte == ' ');
    response->state = ends ? HTTP_IN_CHUNK_LINE : HTTP_MALFORMED;
  }
}

static void feed_framing(struct http_response* response, char byte) {
  switch (response->state) {
    case HTTP_IN_CHUNK_SIZE:
      feed_size_digit(response, byte);
      break;
    case HTTP_IN_CHUNK_LINE:
      if (byte != '\n') break;
      response->digits = 0;
      response->state = response->left == 0 ? HTTP_IN_TRAILER : HTTP_IN_CHUNK;
      break;
    case HTTP_IN_CHUNK_END:
      if (byte == '\n') response->state = HTTP_IN_CHUNK_SIZE;
      if (byte != '\n' && byte != '\r') response->state = HTTP_MALFORMED;
      break;
    default:  // the trailer: lines until an empty one
      if (byte != '\n' && byte != '\r') response->digits++;
      if (byte != '\n') break;
      if (response->digits == 0) response->state = HTTP_COMPLETE;
      response->digits = 0;
  }
}

void http_response_feed(struct http_response* response, const char* data, size_t length) {
  size_t used = 0;
  response->begun = true;
  while (used < length) {
    switch (response->state) {
      case HTTP_IN_HEAD:
        used += feed_head(response, data + used, length - used);
        break;
      case HTTP_IN_BODY:
        used += feed_bytes(response, data + used, length - used, HTTP_COMPLETE);
        break;
      case HTTP_IN_CHUNK:
        used += feed_bytes(response, data + used, length - used, HTTP_IN_CHUNK_END);
        break;
      case HTTP_UNTIL_END:
        take_body(response, data + used, length - used);
        used = length;
        break;
      case HTTP_COMPLETE:
        response->state = HTTP_MALFORMED;
        return;
      case HTTP_MALFORMED:
        return;
      default:
        feed_framing(response, data[used++]);
    }
  }
}

void http_response_end(struct http_response* response) {
  if (response->state == HTTP_UNTIL_END) response->state = HTTP_COMPLETE;
}
