// One way, writes of `bytes` as fast as the kernel takes them. Short writes are gathered: one call hands over many.
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "client.h"
#include "pattern.h"
#include "process.h"

enum {
  // What one call gathers. More than a socket's send buffer holds would be offered in vain.
  GATHERED_BYTES = 256 * 1024,
  GATHERED_WRITES = 256,
  // Calls of one turn, so that the deadline and other links are not forgotten.
  CALLS_PER_TURN = 64,
};

struct bulk_link {
  struct link link;
  uint64_t position;  // of the write that is next, or has gone in part, in the pattern's stream
  size_t part;        // bytes of it that have gone
};

static void prepare(struct client* client) { client->state = pattern_create(client->settings->bytes); }

// Puts the next writes into the message; returns how many bytes they are.
static size_t gather(const struct bulk_link* bulk, struct msghdr* message) {
  const struct client* client = bulk->link.client;
  size_t bytes = client->settings->bytes;
  size_t skipped = bulk->part;
  uint64_t position = bulk->position;
  size_t count = 0;
  size_t total = 0;
  for (; count < GATHERED_WRITES && total < GATHERED_BYTES; count++) {
    const char* write = pattern_at(client->state, position);
    message->msg_iov[count] = (struct iovec){.iov_base = (void*)(write + skipped), .iov_len = bytes - skipped};
    total += bytes - skipped;
    position += bytes;
    skipped = 0;
  }
  message->msg_iovlen = count;
  return total;
}

static void count_sent(struct bulk_link* bulk, size_t count) {
  struct client* client = bulk->link.client;
  size_t bytes = client->settings->bytes;
  client->bytes += count;
  bulk->part += count;
  size_t writes = bulk->part / bytes;
  bulk->part -= writes * bytes;
  bulk->position += writes * bytes;
  client->operations += writes;
}

static void send_on(struct link* link) {
  struct bulk_link* bulk = (struct bulk_link*)link;
  struct iovec parts[GATHERED_WRITES];
  for (int i = 0; i < CALLS_PER_TURN; i++) {
    if (clock_ns() >= link->client->deadline) {
      link_end(link);
      link_await(link, READABLE);
      return;
    }
    struct msghdr message = {.msg_iov = parts};
    size_t offered = gather(bulk, &message);
    ptrdiff_t count = sendmsg(link->watch.fd, &message, 0);
    if (count < 0 && !is_transient(errno) && errno != ENOTCONN) {
      link_fail(link, "send", errno);
      return;
    }
    if (count > 0) count_sent(bulk, (size_t)count);
    // The kernel is full, and another call would only be told so.
    if (count < 0 || (size_t)count < offered) break;
  }
  link_await(link, READABLE | WRITABLE);
}

static void begin(struct client* client) {
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct link* link = client_link(client, i);
    link_begin(link, clock_ns());
    if (link->watch.fd < 0) {
      link_connect(link);
    } else {
      send_on(link);
    }
  }
}

// Nothing is to come back but the end.
static void on_ready(struct watch* watch, unsigned ready) {
  struct link* link = (struct link*)watch;
  if (ready & READABLE) {
    ptrdiff_t count = link_receive(link);
    if (count >= 0 || !is_transient(errno)) {
      link_lost(link, "receive", count == 0 ? ECONNRESET : count > 0 ? 0 : errno);
      return;
    }
  }
  if ((ready & WRITABLE) && link->active) send_on(link);
}

// A link that waits for the kernel ends here; what the kernel has taken is counted.
static void on_deadline(struct client* client) {
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct link* link = client_link(client, i);
    if (!link->active) continue;
    link_end(link);
    link_await(link, READABLE);
  }
}

const struct load load_bulk = {
    .link_size = sizeof(struct bulk_link),
    .has_bytes = true,
    .prepare = prepare,
    .begin = begin,
    .on_connect = send_on,
    .on_ready = on_ready,
    .on_deadline = on_deadline,
};
