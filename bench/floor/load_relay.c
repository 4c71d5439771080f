// Pieces of `bytes` are sent into one end of a relay as fast as it takes them, and received at the other. Links form
// pairs, in the order in which they connect: the first of a pair sends, the second receives. Both ends are in this
// process, which has to move as much as the relay: pieces are sent by reference to their pages, or it would limit a
// fast relay.
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pattern.h"

enum {
  // The period of the stream: whole pages, so that a piece is whole pages too, and a prime number of them, so that no
  // other piece nearby has the same bytes.
  RING_BYTES = 17 * 4096,
  // Pieces per iteration, so that data is received in between.
  PIECES_PER_TURN = 4,
  // Compared bytes of each read, once the warm-up has compared all: enough to detect a wrong position.
  COMPARED_BYTES = 64,
};

// The bytes at each position of the stream: at `position % RING_BYTES`, continuing as far as one call reaches.
static char* ring;
static int file;  // has the same contents

static void prepare(void) {
  size_t size = RING_BYTES + (settings.bytes > READ_CAPACITY ? settings.bytes : READ_CAPACITY);
  ring = allocate(size);
  char* pattern = pattern_create(RING_BYTES);
  for (size_t i = 0; i < size; i++) ring[i] = pattern[i % RING_BYTES];
  free(pattern);
  file = sys_memory_file(ring, size);
}

static bool is_source(const struct link* link) { return (link - client.links) % 2 == 0; }

static struct link* other_of(struct link* link) { return is_source(link) ? link + 1 : link - 1; }

// The sink's operation ends when everything sent by the source has arrived.
static void end_sink_if_done(struct link* sink) {
  const struct link* source = other_of(sink);
  if (sink->active && !source->active && sink->received == source->sent) link_end(sink);
}

static void send_pieces(struct link* source) {
  if (source->sent == 0) net_enlarge(source->watch.fd);
  for (int i = 0; i < PIECES_PER_TURN; i++) {
    size_t left = settings.bytes - source->sent % settings.bytes;
    if (left == settings.bytes && clock_ns() >= client.deadline) {
      link_end(source);
      events_set(&source->watch, READABLE);
      end_sink_if_done(other_of(source));
      return;
    }
    int64_t offset = (int64_t)(source->sent % RING_BYTES);
    if (link_sent(source, sys_send_file(source->watch.fd, file, offset, left)) < left) break;
  }
  events_set(&source->watch, READABLE | WRITABLE);
}

// A pair is two operations of one length: the source's sending, and the sink's receiving.
static void send_on(struct link* link) {
  if (is_source(link)) {
    send_pieces(link);
  } else {
    events_set(&link->watch, READABLE);
    end_sink_if_done(link);
  }
}

static bool is_right(struct link* sink, const char* data, size_t count) {
  if (!sink->active || is_source(sink) || count > other_of(sink)->sent - sink->received) return false;
  bool all = client.phase == PHASE_WARMUP || count < COMPARED_BYTES;
  return memcmp(data, ring + sink->received % RING_BYTES, all ? count : COMPARED_BYTES) == 0;
}

static size_t take(struct link* link, const char* data, size_t count) {
  if (!is_right(link, data, count)) errx(EXIT_FAILURE, "what comes out is not what went in");
  client.bytes += count;
  client.operations += (link->received % settings.bytes + count) / settings.bytes;
  link->received += count;
  end_sink_if_done(link);
  return count;
}

const struct load load_relay = {.prepare = prepare, .start = link_start, .send = send_on, .take = take};
