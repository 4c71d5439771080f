// Pieces of `bytes` into one end of a relay as fast as it takes them, and out of the other. Links go in pairs, in the
// order in which they connect: the first one of a pair sends, the second one receives. Both ends are in this process,
// which has as much to move as the relay: pieces are sent by reference to their pages, or it would be the limit of a
// fast one.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "client.h"
#include "pattern.h"
#include "process.h"
#include "report.h"
#include "sys.h"

enum {
  // Pieces of one turn, so that what has come through is taken meanwhile.
  PIECES_PER_TURN = 4,
  // Of what one read brings, once the warm-up has compared all: enough to see that it is from another place.
  COMPARED_BYTES = 64,
};

// Room for some pieces: see SEND_CAPACITY in server.c.
static const int SOURCE_CAPACITY = 1024 * 1024;

struct relay_load {
  char* pattern;
  int file;  // which has the pattern too
};

struct relay_link {
  struct link link;
  uint64_t position;  // in the pattern's stream: of what is sent or received next
  size_t part;        // of the piece under way that has gone or come
};

static void prepare(struct client* client) {
  size_t bytes = client->settings->bytes;
  struct relay_load* load = allocate(1, sizeof *load);
  size_t longest = bytes > CLIENT_RECEIVE_CAPACITY ? bytes : CLIENT_RECEIVE_CAPACITY;
  load->pattern = pattern_create(longest);
  load->file = sys_memory_file(load->pattern, PATTERN_PERIOD + longest);
  if (load->file < 0) die("a file in memory", errno);
  client->state = load;
}

static size_t index_of(const struct link* link) {
  return (size_t)((const char*)link - link->client->links) / sizeof(struct relay_link);
}

static bool is_source(const struct link* link) { return index_of(link) % 2 == 0; }

static struct relay_link* other_of(const struct link* link) {
  return (struct relay_link*)client_link(link->client, index_of(link) ^ 1u);
}

// What is wrong with one end leaves the other nothing to wait for.
static void fail_pair(struct link* link, const char* what, int error) {
  struct link* other = &other_of(link)->link;
  link_fail(link, what, error);
  if (other->active) link_end(other);
  link_close(other);
}

static void lose_pair(struct link* link, int error) {
  if (link->client->phase == PHASE_DONE) {
    link_close(link);
  } else {
    fail_pair(link, "receive", error);
  }
}

// The time is up, and the last piece is out.
static void end_source(struct link* link) {
  link_end(link);
  link_await(link, READABLE);
}

// The count, 0 if the kernel takes nothing now (or is still connecting), or -1 and errno.
static ptrdiff_t send_part(const struct relay_link* source) {
  const struct client* client = source->link.client;
  const struct relay_load* load = client->state;
  int64_t offset = (int64_t)(source->position % PATTERN_PERIOD);
  ptrdiff_t count = sys_send_file(source->link.watch.fd, load->file, offset, client->settings->bytes - source->part);
  return count < 0 && (is_transient(errno) || errno == ENOTCONN) ? 0 : count;
}

static void send_pieces(struct link* link) {
  struct relay_link* source = (struct relay_link*)link;
  const struct client* client = link->client;
  size_t bytes = client->settings->bytes;
  for (int i = 0; i < PIECES_PER_TURN; i++) {
    if (source->part == 0 && clock_ns() >= client->deadline) {
      end_source(link);
      return;
    }
    ptrdiff_t count = send_part(source);
    if (count < 0) {
      fail_pair(link, "send", errno);
      return;
    }
    source->position += (size_t)count;
    source->part = (source->part + (size_t)count) % bytes;
    if (count == 0 || source->part > 0) break;
  }
  link_await(link, READABLE | WRITABLE);
}

// The sink's operation ends when all is there that the source has sent.
static void end_sink_if_done(struct relay_link* sink) {
  const struct relay_link* source = other_of(&sink->link);
  if (sink->link.active && !source->link.active && sink->position == source->position) link_end(&sink->link);
}

static bool is_right(const struct relay_link* sink, size_t count) {
  const struct client* client = sink->link.client;
  if (count > other_of(&sink->link)->position - sink->position) return false;
  bool all = client->phase == PHASE_WARMUP || count < COMPARED_BYTES;
  const struct relay_load* load = client->state;
  return memcmp(client->buffer, pattern_at(load->pattern, sink->position), all ? count : COMPARED_BYTES) == 0;
}

static void receive(struct link* link) {
  struct relay_link* sink = (struct relay_link*)link;
  struct client* client = link->client;
  ptrdiff_t count = link_receive(link);
  if (count < 0 && is_transient(errno)) return;
  if (count <= 0) {
    lose_pair(link, count == 0 ? ECONNRESET : errno);
    return;
  }
  if (!link->active || !is_right(sink, (size_t)count)) {
    fail_pair(link, "what comes out is not what went in", 0);
    return;
  }
  size_t bytes = client->settings->bytes;
  sink->position += (size_t)count;
  sink->part += (size_t)count;
  client->bytes += (uint64_t)count;
  client->operations += sink->part / bytes;
  sink->part %= bytes;
  end_sink_if_done(sink);
}

static void go_on(struct link* link) {
  if (is_source(link)) {
    send_pieces(link);
  } else {
    link_await(link, READABLE);
    end_sink_if_done((struct relay_link*)link);
  }
}

static void on_connect(struct link* link) {
  // Refused or cut down: then it is what this system lets have.
  if (is_source(link)) setsockopt(link->watch.fd, SOL_SOCKET, SO_SNDBUF, &SOURCE_CAPACITY, sizeof SOURCE_CAPACITY);
  go_on(link);
}

// A pair is two operations of one length: what the source sends, and what the sink has then received.
static void begin(struct client* client) {
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct link* link = client_link(client, i);
    link_begin(link, clock_ns());
    if (link->watch.fd < 0) {
      link_connect(link);
    } else {
      go_on(link);
    }
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct link* link = (struct link*)watch;
  if (!is_source(link)) {
    receive(link);
    return;
  }
  if (ready & READABLE) {
    // Nothing is to come back but the end.
    ptrdiff_t count = link_receive(link);
    if (count >= 0 || !is_transient(errno)) {
      lose_pair(link, count == 0 ? ECONNRESET : count > 0 ? 0 : errno);
      return;
    }
  }
  if ((ready & WRITABLE) && link->active) send_pieces(link);
  end_sink_if_done(other_of(link));
}

const struct load load_relay = {
    .link_size = sizeof(struct relay_link),
    .has_bytes = true,
    .prepare = prepare,
    .begin = begin,
    .on_connect = on_connect,
    .on_ready = on_ready,
};
