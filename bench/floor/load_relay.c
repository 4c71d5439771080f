// Pieces of `bytes` into one end of a relay as fast as it takes them, and out of the other. Links go in pairs, in the
// order in which they connect: the first one of a pair sends, the second one receives. Both ends are in this process,
// which has as much to move as the relay: pieces are sent by reference to their pages, or it would be the limit of a
// fast one.
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "net.h"
#include "pattern.h"
#include "process.h"
#include "sys.h"

enum {
  // The stream repeats itself after so many bytes: whole pages, so that a piece is whole pages too, and a prime number
  // of them, so that no other piece near by has the same bytes.
  RING_BYTES = 17 * 4096,
  // Pieces of one turn, so that what has come through is taken meanwhile.
  PIECES_PER_TURN = 4,
  // Of what one read brings, once the warm-up has compared all: enough to see that it is from another place.
  COMPARED_BYTES = 64,
};

// What stands at each position of the stream: at `position % RING_BYTES`, and on from there as far as one call reaches.
struct relay_load {
  char* data;
  int file;  // which has the same
};

static void prepare(struct client* client) {
  size_t bytes = client->settings->bytes;
  struct relay_load* load = allocate(1, sizeof *load);
  size_t size = RING_BYTES + (bytes > CLIENT_RECEIVE_CAPACITY ? bytes : CLIENT_RECEIVE_CAPACITY);
  load->data = allocate(size, 1);
  char* pattern = pattern_create(RING_BYTES);
  for (size_t i = 0; i < size; i++) load->data[i] = pattern[i % RING_BYTES];
  free(pattern);
  load->file = sys_memory_file(load->data, size);
  client->state = load;
}

static size_t index_of(const struct link* link) {
  return (size_t)((const char*)link - link->client->links) / link->client->link_size;
}

static bool is_source(const struct link* link) { return index_of(link) % 2 == 0; }

static struct link* other_of(const struct link* link) { return client_link(link->client, index_of(link) ^ 1u); }

// The sink's operation ends when all is there that the source has sent.
static void end_sink_if_done(struct link* sink) {
  const struct link* source = other_of(sink);
  if (sink->active && !source->active && sink->received == source->sent) link_end(sink);
}

static void send_pieces(struct link* source) {
  const struct client* client = source->client;
  const struct relay_load* load = client->state;
  size_t bytes = client->settings->bytes;
  if (source->sent == 0) net_enlarge(source->watch.fd);
  for (int i = 0; i < PIECES_PER_TURN; i++) {
    size_t left = bytes - source->sent % bytes;
    if (left == bytes && clock_ns() >= client->deadline) {
      link_end(source);
      link_await(source, READABLE);
      end_sink_if_done(other_of(source));
      return;
    }
    int64_t offset = (int64_t)(source->sent % RING_BYTES);
    if (link_sent(source, sys_send_file(source->watch.fd, load->file, offset, left)) < left) break;
  }
  link_await(source, READABLE | WRITABLE);
}

// A pair is two operations of one length: what the source sends, and what the sink has then received.
static void send_on(struct link* link) {
  if (is_source(link)) {
    send_pieces(link);
  } else {
    link_await(link, READABLE);
    end_sink_if_done(link);
  }
}

static bool is_right(const struct link* sink, size_t count) {
  const struct client* client = sink->client;
  if (!sink->active || is_source(sink) || count > other_of(sink)->sent - sink->received) return false;
  bool all = client->phase == PHASE_WARMUP || count < COMPARED_BYTES;
  const struct relay_load* load = client->state;
  return memcmp(client->buffer, load->data + sink->received % RING_BYTES, all ? count : COMPARED_BYTES) == 0;
}

static void take(struct link* link, size_t count) {
  struct client* client = link->client;
  size_t bytes = client->settings->bytes;
  if (!is_right(link, count)) fail("what comes out is not what went in");
  client->bytes += count;
  client->operations += (link->received % bytes + count) / bytes;
  link->received += count;
  end_sink_if_done(link);
}

const struct load load_relay = {.prepare = prepare, .start = link_start, .send = send_on, .take = take};
