// One way, writes of `bytes` as fast as the kernel takes them. Short writes are combined: one call hands over many.
#include <sys/uio.h>

#include "client.h"
#include "pattern.h"

enum {
  // The size of a combined call. More than a socket's send buffer holds would be offered in vain.
  GATHERED_BYTES = 256 * 1024,
  GATHERED_WRITES = 256,
  // Calls per iteration, so that the deadline and other links are not starved.
  CALLS_PER_TURN = 64,
};

static char* pattern;

static void prepare(void) { pattern = pattern_create(settings.bytes); }

// Adds the next writes to the message, the first of which may have been sent in part; returns their number of bytes.
static size_t gather(const struct link* link, struct msghdr* message) {
  size_t length = settings.bytes - link->sent % settings.bytes;
  size_t total = 0;
  for (; message->msg_iovlen < GATHERED_WRITES && total < GATHERED_BYTES; length = settings.bytes) {
    const char* write = pattern_at(pattern, link->sent + total);
    message->msg_iov[message->msg_iovlen++] = (struct iovec){.iov_base = (char*)write, .iov_len = length};
    total += length;
  }
  return total;
}

static void end(struct link* link) {
  link_end(link);
  events_set(&link->watch, READABLE);
}

static void send_on(struct link* link) {
  struct iovec parts[GATHERED_WRITES];
  for (int i = 0; i < CALLS_PER_TURN; i++) {
    if (clock_ns() >= client.deadline) {
      end(link);
      return;
    }
    struct msghdr message = {.msg_iov = parts};
    size_t offered = gather(link, &message);
    uint64_t before = link->sent / settings.bytes;
    size_t count = link_sent(link, sendmsg(link->watch.fd, &message, 0));
    client.bytes += count;
    client.operations += link->sent / settings.bytes - before;
    // The kernel is full, and another call would only report that.
    if (count < offered) break;
  }
  events_set(&link->watch, READABLE | WRITABLE);
}

// A link that waits for the kernel ends here; bytes taken by the kernel are counted.
static void on_deadline(void) {
  for (size_t i = 0; i < settings.connections; i++) {
    if (client.links[i].active) end(&client.links[i]);
  }
}

const struct load load_bulk = {.prepare = prepare, .start = link_start, .send = send_on, .on_deadline = on_deadline};
