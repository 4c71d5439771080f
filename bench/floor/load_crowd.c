// All links ask, and none reads before each of them has the beginning of its answer; then all are read to their ends.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "http_response.h"
#include "pattern.h"
#include "process.h"

enum {
  // Links that are being set up at once: below any listener's queue.
  SETUPS_AT_ONCE = 64,
  // Of so many links one has its body compared whole, the others the beginnings of its pieces.
  COMPARED_LINKS = 64,
};

static const char request[] = "GET /body HTTP/1.1\r\nHost: localhost\r\n\r\n";

struct crowd_link {
  struct link link;
  struct http_response response;
  size_t sent;
};

static void prepare(struct client* client) { client->state = pattern_create(client->settings->bytes); }

static struct crowd_link* crowd_link(struct client* client, size_t index) {
  return (struct crowd_link*)client_link(client, index);
}

static void send_request(struct link* link) {
  struct crowd_link* crowd = (struct crowd_link*)link;
  ptrdiff_t count = link_send(link, request + crowd->sent, sizeof request - 1 - crowd->sent);
  if (count < 0) {
    link_fail(link, "send", errno);
    return;
  }
  crowd->sent += (size_t)count;
  link_await(link, crowd->sent < sizeof request - 1 ? READABLE | WRITABLE : READABLE);
}

static void ask_next(struct client* client) {
  // Each link that has begun has its answer before it, has failed or is under way.
  size_t next = client->operations + client->errors + client->outstanding;
  if (next >= client->settings->connections) return;
  struct link* link = client_link(client, next);
  link_begin(link, clock_ns());
  link_connect(link);
}

static void read_all(struct client* client) {
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct crowd_link* crowd = crowd_link(client, i);
    http_response_reset(&crowd->response);
    crowd->response.expected = client->state;
    crowd->response.expected_length = client->settings->bytes;
    crowd->response.compares_all = i % COMPARED_LINKS == 0;
    link_begin(&crowd->link, clock_ns());
    link_await(&crowd->link, READABLE);
  }
}

static void begin(struct client* client) {
  if (client->phase == PHASE_MEASURED) {
    read_all(client);
    return;
  }
  for (int i = 0; i < SETUPS_AT_ONCE; i++) ask_next(client);
}

static void take(struct crowd_link* crowd, size_t count) {
  struct link* link = &crowd->link;
  const struct http_response* response = &crowd->response;
  http_response_feed(&crowd->response, link->client->buffer, count);
  if (response->state == HTTP_MALFORMED) {
    link_fail(link, response->differs ? "a body that is not what was asked for" : "a malformed answer", 0);
  } else if (response->state == HTTP_COMPLETE) {
    bool right = response->status == 200 && response->body == link->client->settings->bytes;
    if (right) {
      link_complete(link, clock_ns());
      link_await(link, 0);
    } else {
      link_fail(link, "an answer that is not what was asked for", 0);
    }
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct crowd_link* crowd = (struct crowd_link*)watch;
  struct link* link = &crowd->link;
  struct client* client = link->client;
  if (ready & WRITABLE) send_request(link);
  if (link->watch.fd < 0 || !(ready & READABLE)) return;
  if (client->phase == PHASE_WARMUP) {
    // It waits in the kernel, unread.
    link_await(link, 0);
    link_complete(link, clock_ns());
    ask_next(client);
    return;
  }
  ptrdiff_t count = link_receive(link);
  if (count > 0) {
    take(crowd, (size_t)count);
  } else if (count == 0 || !is_transient(errno)) {
    link_lost(link, "receive", count == 0 ? ECONNRESET : errno);
  }
}

const struct load load_crowd = {
    .link_size = sizeof(struct crowd_link),
    .has_connects = true,
    .prepare = prepare,
    .begin = begin,
    .on_connect = send_request,
    .on_ready = on_ready,
};
