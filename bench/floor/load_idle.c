// Opens all links, with one message there and back on each, so that both sides have really set up; then does nothing.
#include "echo_link.h"
#include "process.h"

// Links that are being set up at once: below any listener's queue.
enum { SETUPS_AT_ONCE = 64 };

static void begin_next(struct client* client) {
  // Each link that has begun is done, has failed or is under way.
  size_t next = client->operations + client->errors + client->outstanding;
  if (next < client->settings->connections) echo_begin((struct echo_link*)client_link(client, next), clock_ns());
}

static void begin(struct client* client) {
  if (client->phase == PHASE_MEASURED) {
    client->operations = client->settings->connections;
    client->outstanding = 1;  // the stretch itself
    return;
  }
  for (int i = 0; i < SETUPS_AT_ONCE; i++) begin_next(client);
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct echo_link* echo = (struct echo_link*)watch;
  if (!echo_continue(echo, ready)) return;
  link_complete(&echo->link, clock_ns());
  begin_next(echo->link.client);
}

static void on_deadline(struct client* client) {
  if (client->phase == PHASE_MEASURED) client->outstanding = 0;
}

const struct load load_idle = {
    .link_size = sizeof(struct echo_link),
    .has_connects = true,
    .prepare = echo_prepare,
    .begin = begin,
    .on_connect = echo_send,
    .on_ready = on_ready,
    .on_deadline = on_deadline,
};
