// One message outstanding on each link (rtt with one link, fanin and growth with many). Idle links have had theirs in
// the warm-up.
#include "echo_link.h"
#include "process.h"

static void begin(struct client* client) {
  echo_begin_all(client);
  if (client->phase != PHASE_WARMUP) return;
  const struct settings* settings = client->settings;
  for (size_t i = 0; i < settings->idle; i++) {
    struct link* link = client_link(client, settings->connections + i);
    if (link->watch.fd < 0) echo_begin((struct echo_link*)link, clock_ns());
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct echo_link* echo = (struct echo_link*)watch;
  if (!echo_continue(echo, ready)) return;
  int64_t now = clock_ns();
  link_complete(&echo->link, now);
  if (!echo->link.idle && now < echo->link.client->deadline) echo_begin(echo, now);
}

const struct load load_echo = {
    .link_size = sizeof(struct echo_link),
    .has_latency = true,
    .repeats = true,
    .prepare = echo_prepare,
    .begin = begin,
    .on_connect = echo_send,
    .on_ready = on_ready,
};
