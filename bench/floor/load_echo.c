// Messages that come back as they went. One is outstanding on each link, over kept connections (rtt, fanin, growth) or
// one each (churn); or `window` of them (pipeline), and as many go out as have come back; or one comes back in all, so
// that both sides have really set up, and then none (idle).
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pattern.h"
#include "process.h"
#include "settings.h"

// What goes out at once of a window, see ANSWERED_BYTES in serve_stream.c.
enum { SENT_BYTES = 4096 };

static char* pattern;

static void prepare(void) { pattern = pattern_create(READ_CAPACITY + settings.bytes); }

static void send_message(struct link* link) {
  link_sent(link, send(link->watch.fd, pattern_at(pattern, link->sent), link->until - link->sent, 0));
  // Also read while the message is not all out: the server may stop reading until its answer is taken.
  events_set(&link->watch, link->sent < link->until ? READABLE | WRITABLE : READABLE);
}

static void start(struct link* link, int64_t now) {
  link->until = link->sent + settings.bytes;
  link_start(link, now);
}

// In the warm-up every byte is compared; measured stretches count.
static void take_bytes(struct link* link, const char* data, size_t count) {
  bool right = link->active && count <= link->sent - link->received;
  if (right && client.phase == PHASE_WARMUP) right = memcmp(data, pattern_at(pattern, link->received), count) == 0;
  if (!right) errx(EXIT_FAILURE, "the echo is not what was sent");
  link->received += count;
}

static size_t take(struct link* link, const char* data, size_t count) {
  take_bytes(link, data, count);
  if (link->received < link->until) return count;
  if (client.load == &load_churn) link_close(link);
  int64_t now = clock_ns();
  link_complete(link, now);
  if (client.load == &load_idle) {
    client_set_up_next();
  } else if (!link->idle && now < client.deadline) {
    start(link, now);
  }
  return count;
}

static void begin(void) {
  for (size_t i = 0; i < settings.connections + settings.idle; i++) {
    struct link* link = &client.links[i];
    // Idle links have their message in the warm-up.
    if (!link->idle || (client.phase == PHASE_WARMUP && link->watch.fd < 0)) start(link, clock_ns());
  }
}

static void begin_idle(void) {
  if (client.phase == PHASE_WARMUP) {
    client_set_up();
  } else {
    client.operations = settings.connections;
    client.outstanding = 1;  // the stretch itself
  }
}

static void end_idle(void) {
  if (client.phase == PHASE_MEASURED) client.outstanding = 0;
}

// Puts as much of the window as goes out at once together, message by message, as by a program whose messages come from
// anywhere; returns how many bytes.
static size_t gather(const struct link* link, char* out) {
  size_t length = 0;
  size_t message = settings.bytes - link->sent % settings.bytes;
  for (; length + message <= SENT_BYTES && link->sent + length < link->until; message = settings.bytes) {
    memcpy(out + length, pattern_at(pattern, link->sent + length), message);
    length += message;
  }
  return length;
}

static void send_window(struct link* link) {
  static char out[SENT_BYTES];
  size_t length = 0;
  size_t sent = 0;
  while (sent == length && link->sent < link->until) {
    const char* data = out;
    length = gather(link, out);
    if (length == 0) {
      data = pattern_at(pattern, link->sent);
      length = settings.bytes - link->sent % settings.bytes;
    }
    sent = link_sent(link, send(link->watch.fd, data, length, 0));
  }
  events_set(&link->watch, sent < length ? READABLE | WRITABLE : READABLE);
}

static void start_window(struct link* link, int64_t now) {
  link->until = link->sent + settings.window * settings.bytes;
  link_start(link, now);
}

static size_t take_answers(struct link* link, const char* data, size_t count) {
  size_t messages = (link->received % settings.bytes + count) / settings.bytes;
  take_bytes(link, data, count);
  client.operations += messages;
  if (clock_ns() < client.deadline) {
    link->until += messages * settings.bytes;
    bool waits = (link->watch.interest & WRITABLE) != 0;
    if (!waits) send_window(link);
  } else if (link->received == link->until) {
    link_end(link);
  }
  return count;
}

#define OF_MESSAGES .prepare = prepare, .start = start, .send = send_message, .take = take

const struct load load_echo = {OF_MESSAGES, .begin = begin};
const struct load load_churn = {OF_MESSAGES};
const struct load load_idle = {OF_MESSAGES, .begin = begin_idle, .on_deadline = end_idle};
const struct load load_pipeline = {
    .prepare = prepare, .start = start_window, .send = send_window, .take = take_answers};
