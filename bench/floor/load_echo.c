// One message outstanding on each link (rtt with one link, fanin with many).
#include "echo_link.h"
#include "process.h"

static void on_ready(struct watch* watch, unsigned ready) {
  struct echo_link* echo = (struct echo_link*)watch;
  if (!echo_continue(echo, ready)) return;
  int64_t now = clock_ns();
  link_complete(&echo->link, now);
  if (now < echo->link.client->deadline) echo_begin(echo, now);
}

const struct load load_echo = {
    .link_size = sizeof(struct echo_link),
    .has_latency = true,
    .prepare = echo_prepare,
    .begin = echo_begin_all,
    .on_connect = echo_send,
    .on_ready = on_ready,
};
