#include "uwsgi_packet.h"

#include <string.h>

#include "report.h"

enum { HEADER_LENGTH = 4 };

static void put_16(char* at, size_t value) {
  at[0] = (char)(value & 0xff);
  at[1] = (char)(value >> 8);
}

static size_t get_16(const char* at) { return (size_t)(unsigned char)at[0] | (size_t)(unsigned char)at[1] << 8; }

void uwsgi_packet_begin(struct uwsgi_packet* packet, char* data, size_t capacity) {
  *packet = (struct uwsgi_packet){.data = data, .length = HEADER_LENGTH, .capacity = capacity};
  memset(data, 0, HEADER_LENGTH);
}

static void add_text(struct uwsgi_packet* packet, const char* text, size_t length) {
  if (length > UINT16_MAX || packet->capacity - packet->length < 2 + length) fail("no room for a uwsgi variable");
  put_16(packet->data + packet->length, length);
  memcpy(packet->data + packet->length + 2, text, length);
  packet->length += 2 + length;
}

void uwsgi_packet_add(struct uwsgi_packet* packet, const char* key, const char* value, size_t value_length) {
  add_text(packet, key, strlen(key));
  add_text(packet, value, value_length);
}

size_t uwsgi_packet_end(struct uwsgi_packet* packet) {
  size_t variables = packet->length - HEADER_LENGTH;
  if (variables > UINT16_MAX) fail("too many uwsgi variables");
  put_16(packet->data + 1, variables);
  return packet->length;
}

size_t uwsgi_head_length(const char* data, size_t length) {
  if (length < HEADER_LENGTH) return 0;
  size_t whole = HEADER_LENGTH + get_16(data + 1);
  return length < whole ? 0 : whole;
}

// The text at `*at`, and `*at` behind it; NULL if it does not lie within the packet.
static const char* take_text(const char* head, size_t length, size_t* at, size_t* text_length) {
  if (length - *at < 2) return NULL;
  *text_length = get_16(head + *at);
  *at += 2;
  if (length - *at < *text_length) return NULL;
  const char* text = head + *at;
  *at += *text_length;
  return text;
}

static bool read_number(const char* text, size_t length, uint64_t* number) {
  if (length > 18) return false;  // 18 digits fit into 64 bits
  *number = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    *number = *number * 10 + (uint64_t)(text[i] - '0');
  }
  return true;
}

bool uwsgi_body_length(const char* head, size_t length, uint64_t* body) {
  static const char name[] = "CONTENT_LENGTH";
  *body = 0;
  for (size_t at = HEADER_LENGTH; at < length;) {
    size_t key_length;
    size_t value_length;
    const char* key = take_text(head, length, &at, &key_length);
    const char* value = key == NULL ? NULL : take_text(head, length, &at, &value_length);
    if (value == NULL) return false;
    if (key_length != sizeof name - 1 || memcmp(key, name, key_length) != 0) continue;
    if (!read_number(value, value_length, body)) return false;
  }
  return true;
}
