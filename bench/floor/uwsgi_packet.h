// Packets of the uwsgi protocol: modifier1, size of the variables (16 bits, little-endian), modifier2, the variables,
// each a key and a value with their lengths in 16 bits, and then the body.
// https://uwsgi-docs.readthedocs.io/en/latest/Protocol.html
#ifndef FLOOR_UWSGI_PACKET_H
#define FLOOR_UWSGI_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uwsgi_packet {
  char* data;
  size_t length;
  size_t capacity;
};

void uwsgi_packet_begin(struct uwsgi_packet* packet, char* data, size_t capacity);

// Ends the program if there is no room: the caller knows how large its variables are.
void uwsgi_packet_add(struct uwsgi_packet* packet, const char* key, const char* value, size_t value_length);

// The length of header and variables.
size_t uwsgi_packet_end(struct uwsgi_packet* packet);

// Bytes of header and variables; 0 if they have not all come yet.
size_t uwsgi_head_length(const char* data, size_t length);

// Reads CONTENT_LENGTH, 0 if it is absent or empty. False if the packet is malformed.
bool uwsgi_body_length(const char* head, size_t length, uint64_t* body);

#endif
