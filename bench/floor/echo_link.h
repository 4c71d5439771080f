// A link whose messages come back as they went: what rtt, fanin, churn and idle have in common.
#ifndef FLOOR_ECHO_LINK_H
#define FLOOR_ECHO_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"

struct echo_link {
  struct link link;
  uint64_t position;  // of the message in the pattern's stream
  size_t sent;        // of the message
  size_t received;
};

// Fills in the pattern, as the client's state.
void echo_prepare(struct client* client);

// Begins a message, connecting first if need be.
void echo_begin(struct echo_link* echo, int64_t now);

// Begins a message on every link; the load's begin.
void echo_begin_all(struct client* client);

// Sends what is left of the message; the load's on_connect.
void echo_send(struct link* link);

// Sends and receives what can be. True if the whole message is back.
bool echo_continue(struct echo_link* echo, unsigned ready);

#endif
