// The loading side: links (connections), phases, results. What goes over the links is the load's.
//
//   warm-up -> {"warm":true,...} -> wait for "go" -> measured stretch -> {"result":...} -> answer "cpu" until stdin
//   ends
//
// Instead of "go", "warm" has it warm up once more, and tell again.
//
// A load that repeats says {"warm":true} again after its result, and waits for another "go".
//
// Every load is a closed loop of operations: a link begins its next operation when the last has ended, as long as the
// stretch lasts. The stretch ends when the operations under way have ended, so that all that was begun is counted, and
// the CPU that both ends spend belongs to counted operations.
#ifndef FLOOR_CLIENT_H
#define FLOOR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"
#include "events.h"
#include "histogram.h"
#include "settings.h"

// As the server's: the whole of a UNIX socket's default send buffer in one call.
enum { CLIENT_RECEIVE_CAPACITY = 256 * 1024 };

struct client;

// One connection of the load, or the place for one. First member of each load's own link struct.
struct link {
  struct watch watch;  // fd -1: not connected
  struct client* client;
  struct link* next_waiting;  // for room in the listener's queue
  int64_t started;            // ns, when the operation under way began
  bool active;                // an operation is under way
  bool idle;                  // silent once the warm-up has opened it; these come after the others
};

struct load {
  size_t link_size;
  bool has_latency;
  bool has_bytes;
  bool has_connects;     // the result tells of reconnects and of connects tried again
  bool counts_failures;  // failing operations are part of what is measured, in the warm-up too
  bool repeats;          // another "go" after the result has another stretch measured
  // Buffers, once; may be NULL.
  void (*prepare)(struct client* client);
  // Begins a phase.
  void (*begin)(struct client* client);
  // connect() has been called with success, though it may be still under way. The link waits for nothing yet.
  void (*on_connect)(struct link* link);
  void (*on_ready)(struct watch* watch, unsigned ready);
  // The time of the phase is up; may be NULL.
  void (*on_deadline)(struct client* client);
  // Operations under way get no more time: the load ends them. NULL: that is the end of the program.
  void (*on_patience_over)(struct client* client);
  // Further members of the result; may be NULL.
  void (*print)(const struct client* client);
};

enum phase { PHASE_WARMUP, PHASE_READY, PHASE_MEASURED, PHASE_DONE };

struct client {
  struct control control;
  struct timer deadline_timer;
  struct timer retry_timer;
  const struct settings* settings;
  const struct load* load;
  int queue;
  enum phase phase;
  int64_t deadline;  // no operation begins after it
  bool deadline_told;
  bool patience_over;
  char* links;
  char* buffer;  // CLIENT_RECEIVE_CAPACITY bytes
  void* state;   // the load's own
  size_t outstanding;
  struct link* waiting_first;
  struct link* waiting_last;
  bool retry_armed;
  bool retry_due;
  uint64_t operations;
  uint64_t bytes;
  uint64_t errors;
  uint64_t reconnects;
  uint64_t connect_retries;
  struct histogram latency;
};

void client_run(const struct settings* settings, const struct load* load);

// Room for connects that wait: opened once, tried after each turn.
void client_open_retries(struct client* client);
void client_retry_waiting(struct client* client);

struct link* client_link(struct client* client, size_t index);

// An operation begins at `now`, which is also where its latency counts from.
void link_begin(struct link* link, int64_t now);

// The operation has ended well: counted, with its latency.
void link_complete(struct link* link, int64_t now);

// The operation has ended and has been counted by the load itself.
void link_end(struct link* link);

// Something went wrong on the link: counted, told on stderr (the first time), and the link is closed.
void link_fail(struct link* link, const char* what, int error);

// Connects, now or, while the listener's queue is full, later. Ends in on_connect or link_fail.
void link_connect(struct link* link);

void link_close(struct link* link);

// The link is without a connection; the descriptor is to be closed before the next turn.
int link_let_go(struct link* link);

void link_await(struct link* link, unsigned interest);

// recv into the client's buffer: the count, 0 at the end of the connection, or -1 and errno.
ptrdiff_t link_receive(struct link* link);

// Sends: the count, 0 if the kernel takes nothing now (or is still connecting), or -1 and errno.
ptrdiff_t link_send(struct link* link, const char* data, size_t length);

// The connection is gone: no news after the last phase, a failure before.
void link_lost(struct link* link, const char* what, int error);

// errno says "not now" rather than "broken".
bool is_transient(int error);

extern const struct load load_echo;
extern const struct load load_pipeline;
extern const struct load load_bulk;
extern const struct load load_churn;
extern const struct load load_http;
extern const struct load load_idle;
extern const struct load load_relay;
extern const struct load load_crowd;
extern const struct load load_cost;

#endif
