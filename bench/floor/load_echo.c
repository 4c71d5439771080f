// Messages that come back as they went. One is outstanding on each link, over kept connections (rtt, fanin, growth) or
// one each (churn); or `window` of them (pipeline), and as many go out as have come back; or one comes back in all, so
// that both sides have really set up, and then none (idle).
#include <string.h>

#include "client.h"
#include "pattern.h"
#include "process.h"

// What goes out at once of a window, see ANSWERED_BYTES in serve_stream.c.
enum { SENT_BYTES = 4096 };

static void prepare(struct client* client) {
  client->state = pattern_create(CLIENT_RECEIVE_CAPACITY + client->settings->bytes);
}

static void send_message(struct link* link) {
  link_send_on(link, pattern_at(link->client->state, link->sent), link->until - link->sent);
  // Also read while the message is not all out: the server may stop reading until its answer is taken.
  link_await(link, link->sent < link->until ? READABLE | WRITABLE : READABLE);
}

static void start(struct link* link, int64_t now) {
  link->until = link->sent + link->client->settings->bytes;
  link_start(link, now);
}

// In the warm-up every byte is compared; measured stretches count.
static void take_bytes(struct link* link, size_t count) {
  const struct client* client = link->client;
  bool right = link->active && count <= link->sent - link->received;
  if (right && client->phase == PHASE_WARMUP) {
    right = memcmp(client->buffer, pattern_at(client->state, link->received), count) == 0;
  }
  if (!right) fail("the echo is not what was sent");
  link->received += count;
}

static void take(struct link* link, size_t count) {
  struct client* client = link->client;
  take_bytes(link, count);
  if (link->received < link->until) return;
  if (client->load == &load_churn) link_close(link);
  int64_t now = clock_ns();
  link_complete(link, now);
  if (client->load == &load_idle) {
    client_set_up_next(client);
  } else if (!link->idle && now < client->deadline) {
    start(link, now);
  }
}

static void begin(struct client* client) {
  const struct settings* settings = client->settings;
  for (size_t i = 0; i < settings->connections + settings->idle; i++) {
    struct link* link = client_link(client, i);
    // Idle links have their message in the warm-up.
    if (!link->idle || (client->phase == PHASE_WARMUP && link->watch.fd < 0)) start(link, clock_ns());
  }
}

const struct load load_echo = {.prepare = prepare, .begin = begin, .start = start, .send = send_message, .take = take};

const struct load load_churn = {.prepare = prepare, .start = start, .send = send_message, .take = take};

static void begin_idle(struct client* client) {
  if (client->phase == PHASE_WARMUP) {
    client_set_up(client);
  } else {
    client->operations = client->settings->connections;
    client->outstanding = 1;  // the stretch itself
  }
}

static void end_idle(struct client* client) {
  if (client->phase == PHASE_MEASURED) client->outstanding = 0;
}

const struct load load_idle = {.prepare = prepare,
                               .begin = begin_idle,
                               .start = start,
                               .send = send_message,
                               .take = take,
                               .on_deadline = end_idle};

// Messages are put together one by one, as by a program whose messages come from anywhere; one send takes some.
static void send_window(struct link* link) {
  static char out[SENT_BYTES];
  const size_t bytes = link->client->settings->bytes;
  while (link->sent < link->until) {
    size_t message = bytes - link->sent % bytes;
    const char* data = pattern_at(link->client->state, link->sent);
    size_t length = message;
    if (message < SENT_BYTES) {
      data = out;
      for (length = 0; length + message <= SENT_BYTES && link->sent + length < link->until; message = bytes) {
        memcpy(out + length, pattern_at(link->client->state, link->sent + length), message);
        length += message;
      }
    }
    if (link_send_on(link, data, length) < length) {
      link_await(link, READABLE | WRITABLE);
      return;
    }
  }
  link_await(link, READABLE);
}

static void start_window(struct link* link, int64_t now) {
  link->until = link->sent + link->client->settings->window * link->client->settings->bytes;
  link_start(link, now);
}

static void take_answers(struct link* link, size_t count) {
  struct client* client = link->client;
  const size_t bytes = client->settings->bytes;
  size_t messages = (link->received % bytes + count) / bytes;
  take_bytes(link, count);
  client->operations += messages;
  if (clock_ns() < client->deadline) {
    link->until += messages * bytes;
    bool waits = (link->watch.interest & WRITABLE) != 0;
    if (!waits) send_window(link);
  } else if (link->received == link->until) {
    link_end(link);
  }
}

const struct load load_pipeline = {
    .prepare = prepare, .start = start_window, .send = send_window, .take = take_answers};
