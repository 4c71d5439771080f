#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "process.h"

// Of a piece of a body that is not compared whole: enough to see that it is from another place, or of another body.
enum { COMPARED_BYTES = 64 };

void http_response_reset(struct http_response* response) {
  free(response->partial);
  *response = (struct http_response){.state = HTTP_IN_HEAD};
}

// "HTTP/1.1 200 OK"; -1 if it is not one.
static int read_status(const char* head, size_t length) {
  if (length < 13 || memcmp(head, "HTTP/1.", 7) != 0 || head[8] != ' ' || head[9] == '0') return -1;
  int status = 0;
  for (int i = 9; i < 12; i++) {
    if (head[i] < '0' || head[i] > '9') return -1;
    status = status * 10 + head[i] - '0';
  }
  return status;
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
  response->partial = enlarge(response->partial, held + length);
  memcpy(response->partial + held, data, length);
  response->partial_length += length;
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

// "1a2b", maybe with an extension behind it.
static void read_chunk_size(struct http_response* response) {
  char* end;
  response->left = strtoull(response->line, &end, 16);
  bool right = isxdigit((unsigned char)response->line[0]) && (*end == '\0' || *end == ';' || *end == ' ');
  response->state = !right ? HTTP_MALFORMED : response->left == 0 ? HTTP_IN_TRAILER : HTTP_IN_CHUNK;
}

// What stands between chunks, and behind them, is lines.
static void feed_line(struct http_response* response, char byte) {
  if (byte != '\n') {
    // Room for a size of 60 bits; of others it counts whether there is anything.
    if (byte != '\r' && response->line_length < sizeof response->line - 1) {
      response->line[response->line_length++] = byte;
    }
    return;
  }
  response->line[response->line_length] = '\0';
  bool empty = response->line_length == 0;
  response->line_length = 0;
  if (response->state == HTTP_IN_CHUNK_SIZE) {
    read_chunk_size(response);
  } else if (response->state == HTTP_IN_CHUNK_END) {
    response->state = empty ? HTTP_IN_CHUNK_SIZE : HTTP_MALFORMED;
  } else if (empty) {
    response->state = HTTP_COMPLETE;
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
      case HTTP_MALFORMED:
        response->state = HTTP_MALFORMED;
        return;
      default:
        feed_line(response, data[used++]);
    }
  }
}
