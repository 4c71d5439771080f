#include "echo_link.h"

#include <errno.h>
#include <string.h>

#include "pattern.h"
#include "process.h"

void echo_prepare(struct client* client) { client->state = pattern_create(client->settings->bytes); }

static const char* message_of(const struct echo_link* echo) {
  return pattern_at(echo->link.client->state, echo->position);
}

void echo_send(struct link* link) {
  struct echo_link* echo = (struct echo_link*)link;
  size_t bytes = link->client->settings->bytes;
  ptrdiff_t count = link_send(link, message_of(echo) + echo->sent, bytes - echo->sent);
  if (count < 0) {
    link_fail(link, "send", errno);
    return;
  }
  echo->sent += (size_t)count;
  // Also read while the message is not all out: the server may stop reading until its answer is taken.
  link_await(link, echo->sent < bytes ? READABLE | WRITABLE : READABLE);
}

void echo_begin(struct echo_link* echo, int64_t now) {
  echo->position += echo->sent;
  echo->sent = 0;
  echo->received = 0;
  link_begin(&echo->link, now);
  if (echo->link.watch.fd < 0) {
    link_connect(&echo->link);
  } else {
    echo_send(&echo->link);
  }
}

void echo_begin_all(struct client* client) {
  for (size_t i = 0; i < client->settings->connections; i++) {
    echo_begin((struct echo_link*)client_link(client, i), clock_ns());
  }
}

// In the warm-up every byte is compared; measured stretches count.
static bool is_right(const struct echo_link* echo, size_t count) {
  const struct client* client = echo->link.client;
  if (count > echo->sent - echo->received) return false;
  if (client->phase != PHASE_WARMUP) return true;
  return memcmp(client->buffer, message_of(echo) + echo->received, count) == 0;
}

bool echo_continue(struct echo_link* echo, unsigned ready) {
  struct link* link = &echo->link;
  if (ready & WRITABLE) echo_send(link);
  if (link->watch.fd < 0 || !(ready & READABLE)) return false;
  // One read: a message longer than the buffer goes on with the next turn.
  ptrdiff_t count = link_receive(link);
  if (count < 0 && is_transient(errno)) return false;
  if (count <= 0) {
    link_lost(link, "receive", count == 0 ? ECONNRESET : errno);
    return false;
  }
  if (!link->active || !is_right(echo, (size_t)count)) {
    link_fail(link, "the echo is not what was sent", 0);
    return false;
  }
  echo->received += (size_t)count;
  return echo->received == link->client->settings->bytes;
}
