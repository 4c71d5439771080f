#include "upstream.h"

#include <errno.h>

#include "report.h"

// Idle connections beyond these are closed: nginx's documentation keeps 16 to 64 in its examples.
enum { KEPT_LIMIT = 64 };

static struct upstream* take_struct(struct upstreams* upstreams) {
  struct upstream* upstream = upstreams->free;
  if (upstream == NULL) return allocate(1, sizeof *upstream);
  upstreams->free = upstream->next;
  *upstream = (struct upstream){0};
  return upstream;
}

static void give_back(struct upstream* upstream) {
  upstream->next = upstream->owner->free;
  upstream->owner->free = upstream;
}

static void leave_idle(struct upstream* upstream) {
  struct upstream** link = &upstream->owner->idle;
  while (*link != upstream) link = &(*link)->next;
  *link = upstream->next;
  upstream->owner->idle_count--;
}

// Nobody asked it anything: the application has closed it, or speaks out of turn.
static void on_idle_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct upstream* upstream = (struct upstream*)watch;
  leave_idle(upstream);
  upstream_close(upstream);
}

struct upstream* upstream_take(struct upstreams* upstreams, void* client, bool may_reuse) {
  struct upstream* upstream = may_reuse ? upstreams->idle : NULL;
  if (upstream != NULL) {
    leave_idle(upstream);
    upstream->reused = true;
  } else {
    upstream = take_struct(upstreams);
    upstream->owner = upstreams;
    int error = net_connect(upstreams->endpoint, &upstream->watch.fd);
    if (error != 0) {
      give_back(upstream);
      errno = error;
      return NULL;
    }
  }
  upstream->client = client;
  upstream->watch.on_ready = upstreams->on_ready;
  return upstream;
}

void upstream_keep(struct upstream* upstream) {
  struct upstreams* owner = upstream->owner;
  if (owner->idle_count == KEPT_LIMIT) {
    upstream_close(upstream);
    return;
  }
  upstream->client = NULL;
  upstream->watch.on_ready = on_idle_ready;
  upstream->next = owner->idle;
  owner->idle = upstream;
  owner->idle_count++;
  // Its end is to be heard of.
  upstream_await(upstream, true);
}

void upstream_close(struct upstream* upstream) {
  pending_drop(&upstream->request);
  events_close(&upstream->watch);
  give_back(upstream);
}

void upstream_await(struct upstream* upstream, bool reads) {
  unsigned writes = upstream->request.data != NULL ? WRITABLE : 0u;
  events_set(upstream->owner->queue, &upstream->watch, (reads ? READABLE : 0u) | writes);
}
