// The proxy's connections to the application: one for each request, or kept ones.
#ifndef FLOOR_UPSTREAM_H
#define FLOOR_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "events.h"
#include "net.h"
#include "pending.h"

struct upstream {
  struct watch watch;
  struct upstreams* owner;
  void* client;  // whose request it serves; NULL: it is idle
  struct upstream* next;
  struct pending request;
  bool reused;  // it has served another request before
};

struct upstreams {
  int queue;
  const struct endpoint* endpoint;
  // For a connection that serves a request.
  void (*on_ready)(struct watch* watch, unsigned ready);
  struct upstream* idle;  // the one that was used last comes first
  size_t idle_count;
  struct upstream* free;  // closed, to be used again
};

// A kept connection if `may_reuse` and there is one, else a new one; NULL and errno if it can't be opened.
struct upstream* upstream_take(struct upstreams* upstreams, void* client, bool may_reuse);

// It has served, and may serve again.
void upstream_keep(struct upstream* upstream);

void upstream_close(struct upstream* upstream);

// Waits for readiness to read if `reads`, and to write while anything waits to be sent.
void upstream_await(struct upstream* upstream, bool reads);

#endif
