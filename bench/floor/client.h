// The loading side: links (connections), phases, results. What goes over the links is the load's.
//
//   warm-up -> {"warm":true,...} -> wait for "go" -> measured stretch -> {"result":...} -> {"warm":true} -> wait for
//   "go", and so on until stdin ends
//
// Instead of "go", "warm" has it warm up once more, and tell again.
//
// Most loads are a closed loop of operations: a link begins its next operation when the last has ended, as long as the
// stretch lasts. The stretch ends when the operations under way have ended, so that all that was begun is counted, and
// the CPU that both ends spend belongs to counted operations.
#ifndef FLOOR_CLIENT_H
#define FLOOR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "process.h"
#include "settings.h"

// Latencies in log-linear buckets: 128 to each power of two, so a reported value is off by less than 0.4 %. The same as
// in bench/histogram.ts, which has what can be known from them.
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

// A value above the top bucket is counted in it; `max` is exact all the same.
void histogram_record(struct histogram* histogram, int64_t nanoseconds);

// As JSON, with the buckets that hold anything: {"count":...,"max":us,"steps":[[bucket, count], ...]}.
void histogram_print(const struct histogram* histogram);

// One connection of the load, or the place for one.
struct link {
  struct watch watch;  // fd -1: not connected
  struct input input;
  int64_t started;  // ns, when the operation under way began
  bool active;      // an operation is under way
  bool idle;        // silent once the warm-up has opened it; these come after the others
  // Places in what goes over the link, all of it one stream, of which messages are slices; or in the request:
  uint64_t sent;
  uint64_t until;  // what is to be sent
  uint64_t received;
  // Of load_http.c:
  struct link* next;  // in the stack that holds it while no request is under way
  struct http_response response;
  uint32_t last;  // number of an answer
  bool compared;  // a whole body of this link has been compared
  bool used;      // the connection has brought an answer before
};

// What a load does. All but `start` and `send` may be NULL.
struct load {
  bool counts_failures;  // operations that fail are part of what is measured; else they are the end of the program
  // Buffers, once.
  void (*prepare)(void);
  // Begins a phase. NULL: an operation is started on each link.
  void (*begin)(void);
  // Begins an operation, as link_start does.
  void (*start)(struct link* link, int64_t now);
  // Sends what there is to send: an operation has begun on a connection, which may be still under way, or there is room
  // again. Says what the link waits for.
  void (*send)(struct link* link);
  // Takes of what has come as much as it can make use of: how many bytes. The others are handed in again, with what
  // comes next. NULL: none are to come.
  size_t (*take)(struct link* link, const char* data, size_t length);
  // The other end has closed the connection, or it broke (`error`). NULL: the end of the program but at rest.
  void (*on_end)(struct link* link, int error);
  // The link is ready. NULL: link_on_ready.
  void (*on_ready)(struct watch* watch, unsigned ready);
  // The time of the phase is up, and operations are under way.
  void (*on_deadline)(void);
  // Operations under way get no more time: the load ends them. NULL: that is the end of the program.
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
  size_t opened;  // of them
  size_t outstanding;
  uint64_t operations;
  uint64_t bytes;
  uint64_t errors;
  struct histogram latency;
};

extern struct client client;

_Noreturn void client_run(void);

// Opens the next link, if there is one that has not been opened. The first phase opens so many that any listener's
// queue has room for them; with more links, one is to be opened when an operation has ended.
void client_open_next(void);

// An operation begins at `now`, which is also where its latency counts from.
void link_begin(struct link* link, int64_t now);

// The same, of `window` messages, which are sent.
void link_start(struct link* link, int64_t now);

// Sends. Without a connection there is one before.
void link_send(struct link* link);

// The operation has ended well: counted, with its latency.
void link_complete(struct link* link, int64_t now);

// The operation has ended and has been counted by the load itself.
void link_end(struct link* link);

// Connects and sends: 0, or the errno.
int link_try_connect(struct link* link);

// The same; waits while the listener's queue is full.
void link_connect(struct link* link);

void link_close(struct link* link);

// Receives and sends what can be.
void link_on_ready(struct watch* watch, unsigned ready);

// What a call that sends has returned: the count, 0 if the kernel takes nothing now (or is still connecting). An error
// is the end of the program.
size_t link_sent(struct link* link, ptrdiff_t count);

// errno says "not now" rather than "broken".
bool is_transient(int error);

extern const struct load load_echo;
extern const struct load load_churn;
extern const struct load load_bulk;
extern const struct load load_relay;
extern const struct load load_http;
extern const struct load load_crowd;
extern const struct load load_cost;

#endif
