// The load generator: links (connections), phases, results. The load decides what is sent over the links.
//
//   warm-up -> {"warm":true,...} -> wait for "go" -> measured stretch -> {"result":...} -> {"warm":true} -> wait for
//   "go", and so on until stdin ends
//
// "warm" instead of "go" repeats the warm-up and its report.
//
// Most loads are a closed loop of operations: while the stretch lasts, a link begins its next operation when the last
// has ended. The stretch ends when the operations in progress have ended, so that all operations begun are counted, and
// the CPU time of both ends belongs to counted operations.
#ifndef FLOOR_CLIENT_H
#define FLOOR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "process.h"
#include "settings.h"

// Latencies in log-linear buckets: 128 to each power of two, so a reported value is off by less than 0.4 %. As in
// bench/histogram.ts, which computes results from them.
enum {
  HISTOGRAM_LINEAR_BITS = 7,
  HISTOGRAM_TOP_BIT = 36,  // 2^37 ns = 137 s, above the 100 s that must fit
  HISTOGRAM_BUCKETS = (HISTOGRAM_TOP_BIT - HISTOGRAM_LINEAR_BITS + 2) << HISTOGRAM_LINEAR_BITS,
};

struct histogram {
  uint64_t count;
  int64_t max;  // exact
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

// A value above the top bucket is counted in it; `max` remains exact.
void histogram_record(struct histogram* histogram, int64_t nanoseconds);

// As JSON, with the nonempty buckets: {"count":...,"max":us,"steps":[[bucket, count], ...]}.
void histogram_print(const struct histogram* histogram);

// One connection of the load, or the slot for one.
struct link {
  struct watch watch;  // fd -1: not connected
  struct input input;
  int64_t started;  // ns, when the current operation began
  bool active;      // an operation is in progress
  bool idle;        // silent once the warm-up has opened it; these come after the others
  // Positions in the data sent over the link, a single stream of which messages are slices; or in the request:
  uint64_t sent;
  uint64_t until;  // end of the data to send
  uint64_t received;
  // Of load_http.c:
  struct link* next;  // in the list that holds it while no request is in progress
  struct http_response response;
  uint32_t last;  // number of a response
  bool compared;  // a whole body of this link has been compared
  bool used;      // the connection has returned a response before
};

// The operations of a load. All but `start` and `send` may be NULL.
struct load {
  bool counts_failures;  // failed operations are part of the measurement; otherwise they end the program
  // Creates buffers, once.
  void (*prepare)(void);
  // Begins a phase. NULL: an operation is started on each link.
  void (*begin)(void);
  // Begins an operation, as link_start does.
  void (*start)(struct link* link, int64_t now);
  // Sends pending data: an operation has begun, perhaps on a connection that is still being established, or there is
  // room again. Sets what the link waits for.
  void (*send)(struct link* link);
  // Consumes as much of the received data as it can, and returns the number of bytes. The rest is passed again together
  // with the next data. NULL: none is expected.
  size_t (*take)(struct link* link, const char* data, size_t length);
  // The peer has closed the connection, or it failed (`error`). NULL: ends the program unless the link is at rest.
  void (*on_end)(struct link* link, int error);
  // The link is ready. NULL: link_on_ready.
  void (*on_ready)(struct watch* watch, unsigned ready);
  // The time of the phase is up, and operations are in progress.
  void (*on_deadline)(void);
  // Operations in progress get no more time: the load ends them. NULL: ends the program.
  void (*on_patience_over)(void);
  // Further members of the result.
  void (*print)(void);
};

enum phase { PHASE_REST, PHASE_WARMUP, PHASE_MEASURED };

struct client {
  const struct load* load;
  enum phase phase;
  int64_t deadline;  // no operation begins after it
  struct link* links;
  size_t opened;  // the number of opened links
  size_t outstanding;
  uint64_t operations;
  uint64_t bytes;
  uint64_t errors;
  struct histogram latency;
};

extern struct client client;

_Noreturn void client_run(void);

// Opens the next link, if one has not been opened yet. The first phase opens only as many as any listener's queue
// holds; with more links, call this when an operation has ended.
void client_open_next(void);

// Begins an operation at `now`, from which its latency counts.
void link_begin(struct link* link, int64_t now);

// The same for `window` messages, which are sent.
void link_start(struct link* link, int64_t now);

// Sends, and connects first if there is no connection.
void link_send(struct link* link);

// The operation has succeeded: it is counted, with its latency.
void link_complete(struct link* link, int64_t now);

// The operation has ended and has been counted by the load itself.
void link_end(struct link* link);

// Connects and sends: 0, or the errno.
int link_try_connect(struct link* link);

// The same; waits while the listener's queue is full.
void link_connect(struct link* link);

void link_close(struct link* link);

// Receives and sends what is possible.
void link_on_ready(struct watch* watch, unsigned ready);

// Handles the result of a sending call: returns the count, or 0 if the kernel takes nothing now (or is still
// connecting). An error ends the program.
size_t link_sent(struct link* link, ptrdiff_t count);

// errno means "not now" rather than "failed".
bool is_transient(int error);

extern const struct load load_echo;
extern const struct load load_churn;
extern const struct load load_bulk;
extern const struct load load_relay;
extern const struct load load_http;
extern const struct load load_crowd;
extern const struct load load_cost;

#endif
