// `window` messages outstanding on a link; as many go out as have come back.
#include <errno.h>
#include <string.h>

#include "client.h"
#include "pattern.h"
#include "process.h"
#include "report.h"

// What goes out at once of what is to be answered, see ANSWERED_BYTES in serve_messages.c.
enum { SENT_BYTES = 4096 };

struct pipeline_link {
  struct link link;
  // Messages are put here one by one, as a program would whose messages come from anywhere; one send takes them all.
  char* outgoing;
  size_t outgoing_length;
  size_t outgoing_sent;
  size_t outstanding;  // messages
  uint64_t queued;     // position of the next message in the pattern's stream
  uint64_t received;   // position of the next byte that comes back
  size_t part;         // bytes of the first outstanding message that are back
};

static void prepare(struct client* client) {
  const struct settings* settings = client->settings;
  client->state = pattern_create(CLIENT_RECEIVE_CAPACITY + settings->bytes);
  for (size_t i = 0; i < settings->connections; i++) {
    ((struct pipeline_link*)client_link(client, i))->outgoing = allocate(settings->window, settings->bytes);
  }
}

static void queue_messages(struct pipeline_link* pipeline, size_t count) {
  const struct client* client = pipeline->link.client;
  size_t bytes = client->settings->bytes;
  if (pipeline->outgoing_sent > 0) {
    pipeline->outgoing_length -= pipeline->outgoing_sent;
    memmove(pipeline->outgoing, pipeline->outgoing + pipeline->outgoing_sent, pipeline->outgoing_length);
    pipeline->outgoing_sent = 0;
  }
  for (size_t i = 0; i < count; i++) {
    memcpy(pipeline->outgoing + pipeline->outgoing_length, pattern_at(client->state, pipeline->queued), bytes);
    pipeline->outgoing_length += bytes;
    pipeline->queued += bytes;
  }
  pipeline->outstanding += count;
}

static void send_queued(struct link* link) {
  struct pipeline_link* pipeline = (struct pipeline_link*)link;
  size_t left = pipeline->outgoing_length - pipeline->outgoing_sent;
  ptrdiff_t count = link_send(link, pipeline->outgoing + pipeline->outgoing_sent, left);
  if (count < 0) {
    link_fail(link, "send", errno);
    return;
  }
  pipeline->outgoing_sent += (size_t)count;
  link_await(link, pipeline->outgoing_sent < pipeline->outgoing_length ? READABLE | WRITABLE : READABLE);
}

static void send_messages(struct pipeline_link* pipeline, size_t count) {
  struct link* link = &pipeline->link;
  size_t bytes = link->client->settings->bytes;
  size_t at_once = bytes < SENT_BYTES ? SENT_BYTES / bytes : 1;
  while (count > 0 && link->watch.fd >= 0) {
    size_t some = count < at_once ? count : at_once;
    queue_messages(pipeline, some);
    count -= some;
    bool waits = (link->watch.interest & WRITABLE) != 0;
    if (!waits) send_queued(link);
  }
}

static void begin(struct client* client) {
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct pipeline_link* pipeline = (struct pipeline_link*)client_link(client, i);
    link_begin(&pipeline->link, clock_ns());
    queue_messages(pipeline, client->settings->window);
    if (pipeline->link.watch.fd < 0) {
      link_connect(&pipeline->link);
    } else {
      send_queued(&pipeline->link);
    }
  }
}

static bool is_right(const struct pipeline_link* pipeline, size_t count) {
  const struct client* client = pipeline->link.client;
  if (count > pipeline->queued - pipeline->received) return false;
  if (client->phase != PHASE_WARMUP) return true;
  return memcmp(client->buffer, pattern_at(client->state, pipeline->received), count) == 0;
}

// Counts what has come back; returns the number of messages.
static size_t take_answers(struct pipeline_link* pipeline, size_t count) {
  size_t bytes = pipeline->link.client->settings->bytes;
  pipeline->received += count;
  pipeline->part += count;
  size_t messages = pipeline->part / bytes;
  pipeline->part -= messages * bytes;
  pipeline->outstanding -= messages;
  return messages;
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct pipeline_link* pipeline = (struct pipeline_link*)watch;
  struct link* link = &pipeline->link;
  struct client* client = link->client;
  if (ready & WRITABLE) send_queued(link);
  if (link->watch.fd < 0 || !(ready & READABLE)) return;
  ptrdiff_t count = link_receive(link);
  if (count < 0 && is_transient(errno)) return;
  if (count <= 0) {
    link_lost(link, "receive", count == 0 ? ECONNRESET : errno);
    return;
  }
  if (!is_right(pipeline, (size_t)count)) {
    link_fail(link, "the echo is not what was sent", 0);
    return;
  }
  size_t messages = take_answers(pipeline, (size_t)count);
  int64_t now = clock_ns();
  client->operations += messages;
  if (now < client->deadline) {
    send_messages(pipeline, messages);
  } else if (pipeline->outstanding == 0) {
    link_end(link);
  }
}

const struct load load_pipeline = {
    .link_size = sizeof(struct pipeline_link),
    .repeats = true,
    .prepare = prepare,
    .begin = begin,
    .on_connect = send_queued,
    .on_ready = on_ready,
};
