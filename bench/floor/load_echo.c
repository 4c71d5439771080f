// Messages that are returned unchanged: `window` of them are outstanding on each link (1 except in case pipeline), over
// kept connections or one each (churn). An idle link sends one in total, so that both sides have really set up.
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pattern.h"

// The part of a window that is sent at once, see ANSWERED_BYTES in serve_stream.c.
enum { SENT_BYTES = 4096 };

static char* pattern;

static void prepare(void) { pattern = pattern_create(READ_CAPACITY + settings.bytes); }

// Copies as much of the window as is sent at once, message by message, like a program whose messages come from
// different places; returns the number of bytes.
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
  // Also reads while data is pending: the server may stop reading until its responses are taken.
  events_set(&link->watch, sent < length ? READABLE | WRITABLE : READABLE);
}

// The warm-up compares every byte; measured stretches only count.
static void check(const struct link* link, const char* data, size_t count) {
  bool right = link->active && count <= link->sent - link->received;
  if (right && client.phase == PHASE_WARMUP) right = memcmp(data, pattern_at(pattern, link->received), count) == 0;
  if (!right) errx(EXIT_FAILURE, "the echo is not what was sent");
}

static size_t take(struct link* link, const char* data, size_t count) {
  check(link, data, count);
  size_t messages = (link->received % settings.bytes + count) / settings.bytes;
  link->received += count;
  if (messages == 0) return count;
  if (client.load == &load_churn) link_close(link);
  int64_t now = clock_ns();
  client.operations += messages;
  if (settings.window == 1) histogram_record(&client.latency, now - link->started);
  if (!link->idle && now < client.deadline) {
    link->until += messages * settings.bytes;
    link->started = now;
    bool waits = (link->watch.interest & WRITABLE) != 0;
    if (!waits) link_send(link);
  } else if (link->received == link->until) {
    link_end(link);
  }
  client_open_next();
  return count;
}

#define OF_MESSAGES .prepare = prepare, .start = link_start, .send = send_window, .take = take

const struct load load_echo = {OF_MESSAGES};
const struct load load_churn = {OF_MESSAGES};
