// One kind of request against a server of any kind; what fails is counted and the load goes on.
//
// Closed loop: `connections` requests are outstanding at all times. Open loop (--rate): a request is due every 1/rate
// seconds, whatever became of those before it. It goes out on a connection that is idle, on a new one, or, with
// `connections` of them at work, when one of these comes free; its latency counts from when it was due in each case. So
// a server that stalls is charged with all who would have come meanwhile (no "coordinated omission").
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "arrivals.h"
#include "client.h"
#include "cost_counts.h"
#include "cost_request.h"
#include "http_response.h"
#include "net.h"
#include "process.h"
#include "report.h"

// A closed loop waits so long after a connect that failed: else it would do nothing but fail.
static const int64_t REST_NS = 1000000;

struct cost_link {
  struct link link;
  struct cost_link* next;  // in the stack that holds it while its turn has come and no request is under way
  struct http_response response;
  size_t sent;       // of the request
  bool established;  // the kernel has taken bytes
  bool used;         // the connection has brought an answer before
};

struct cost {
  struct cost_request request;
  struct cost_counts counts;
  struct arrivals arrivals;
  struct timer pace;
  struct client* client;
  struct cost_link* idle;  // with a connection, unless the server has closed it since
  struct cost_link* free;  // without one
  int64_t system_us;       // of this process, when the stretch began
  bool resting;
  bool advancing;
};

static void push(struct cost_link** stack, struct cost_link* link) {
  link->next = *stack;
  *stack = link;
}

static struct cost_link* pop(struct cost_link** stack) {
  struct cost_link* link = *stack;
  if (link != NULL) *stack = link->next;
  return link;
}

static struct cost* cost_of(struct cost_link* link) { return link->link.client->state; }

static bool is_open_loop(const struct cost* cost) {
  const struct client* client = cost->client;
  return client->settings->rate > 0 && !(client->settings->warms_closed && client->phase == PHASE_WARMUP);
}

static void on_pace(struct timer* timer);

static void prepare(struct client* client) {
  const struct settings* settings = client->settings;
  struct cost* cost = allocate(1, sizeof *cost);
  cost->client = client;
  client->state = cost;
  cost_request_make(&cost->request, settings);
  arrivals_open(&cost->arrivals, settings);
  timer_open(client->queue, &cost->pace, on_pace);
  for (size_t i = settings->connections; i-- > 0;) push(&cost->free, (struct cost_link*)client_link(client, i));
}

// A connection that is open is better than a new one; those that the server has closed since are sorted out here.
static struct cost_link* take_link(struct cost* cost) {
  struct cost_link* link;
  while ((link = pop(&cost->idle)) != NULL) {
    if (link->link.watch.fd >= 0) return link;
    push(&cost->free, link);
  }
  return pop(&cost->free);
}

static void advance(struct cost* cost);

// The request has ended, well or not, and has been counted.
static void release(struct cost_link* link) {
  struct cost* cost = cost_of(link);
  push(link->link.watch.fd >= 0 ? &cost->idle : &cost->free, link);
  advance(cost);
}

static void give_up(struct cost_link* link) {
  link->link.client->errors++;
  link_end(&link->link);
  link_close(&link->link);
  release(link);
}

static void connect_failed(struct cost_link* link, int error) {
  struct cost* cost = cost_of(link);
  cost_counts_error(cost->counts.connect_errors, error);
  if (!is_open_loop(cost) && !cost->resting) {
    cost->resting = true;
    timer_arm(cost->client->queue, &cost->pace, REST_NS);
  }
  give_up(link);
}

static void broke(struct cost_link* link, int error) {
  cost_counts_error(cost_of(link)->counts.broken, error);
  give_up(link);
}

static void on_end(struct cost_link* link, int error);

static void send_request(struct link* plain) {
  struct cost_link* link = (struct cost_link*)plain;
  const struct cost_request* request = &cost_of(link)->request;
  ptrdiff_t count = link_send(plain, request->data + link->sent, request->length - link->sent);
  if (count < 0) {
    on_end(link, errno);
    return;
  }
  if (count > 0) link->established = true;
  link->sent += (size_t)count;
  link_await(plain, link->sent < request->length ? READABLE | WRITABLE : READABLE);
}

static void connect_anew(struct cost_link* link) {
  struct cost* cost = cost_of(link);
  link->established = false;
  link->used = false;
  link->sent = 0;
  int error = net_connect(&cost->client->settings->endpoint, &link->link.watch.fd);
  if (error != 0) {
    connect_failed(link, error);
    return;
  }
  cost->counts.opened++;
  send_request(&link->link);
}

static void begin_request(struct cost_link* link, int64_t started) {
  http_response_reset(&link->response);
  link->sent = 0;
  cost_of(link)->counts.begun++;
  link_begin(&link->link, started);
  if (link->link.watch.fd < 0) {
    connect_anew(link);
  } else {
    send_request(&link->link);
  }
}

// Begins what is to begin now. A request that fails at once comes here again, and finds the loop running.
static void advance(struct cost* cost) {
  if (cost->advancing) return;
  cost->advancing = true;
  while (!cost->resting) {
    int64_t now = clock_ns();
    if (now >= cost->client->deadline) break;
    int64_t started = is_open_loop(cost) ? arrivals_due(&cost->arrivals) : now;
    if (started > now) {
      arrivals_arm(&cost->arrivals, cost->client->queue, &cost->pace, now);
      break;
    }
    struct cost_link* link = take_link(cost);
    if (link == NULL) break;
    arrivals_take(&cost->arrivals);
    begin_request(link, started);
  }
  cost->advancing = false;
}

static void on_pace(struct timer* timer) {
  struct cost* cost = (struct cost*)((char*)timer - offsetof(struct cost, pace));
  cost->resting = false;
  arrivals_fired(&cost->arrivals);
  advance(cost);
}

static void begin(struct client* client) {
  struct cost* cost = client->state;
  cost->counts = (struct cost_counts){0};
  cost->resting = false;
  cost->system_us = process_system_us();
  arrivals_begin(&cost->arrivals, clock_ns());
  client->outstanding++;  // the stretch itself, which may have moments without a request
  advance(cost);
}

// The time is up. Who was due and has not even been asked waited at least until now.
static void on_deadline(struct client* client) {
  struct cost* cost = client->state;
  timer_disarm(client->queue, &cost->pace);
  client->outstanding--;
  if (!is_open_loop(cost)) return;
  for (int64_t due; (due = arrivals_due(&cost->arrivals)) < client->deadline; arrivals_take(&cost->arrivals)) {
    cost->counts.unsent++;
    client->errors++;
    histogram_record(&client->latency, client->deadline - due);
  }
}

// Who has no answer by now waited at least until now.
static void on_patience_over(struct client* client) {
  struct cost* cost = client->state;
  int64_t now = clock_ns();
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct cost_link* link = (struct cost_link*)client_link(client, i);
    if (!link->link.active) continue;
    cost->counts.unanswered++;
    histogram_record(&client->latency, now - link->link.started);
    give_up(link);
  }
}

// Whether the answer is all that it should be.
static bool is_right(const struct cost_link* link) {
  const struct settings* settings = link->link.client->settings;
  return link->response.status == 200 && (!settings->answer_known || link->response.body == settings->answer);
}

static void finish(struct cost_link* link) {
  struct cost* cost = cost_of(link);
  const struct http_response* response = &link->response;
  struct client* client = cost->client;
  // A server may answer before it has read all; what is left of the request has no place on the connection then.
  bool reusable = client->settings->keep_alive && !response->closes && link->sent == cost->request.length;
  link->used = true;
  int done_with = reusable ? -1 : link_let_go(&link->link);
  int64_t now = clock_ns();
  cost->counts.statuses[response->status]++;
  if (is_right(link)) {
    client->bytes += response->body;
    if (now <= client->deadline) cost->counts.in_time++;
    link_complete(&link->link, now);
  } else {
    if (response->status == 200) cost->counts.malformed++;
    client->errors++;
    link_end(&link->link);
  }
  release(link);
  // As a front does, which first passes the answer on: a server that closes by itself mostly comes first.
  if (done_with >= 0) close(done_with);
}

// The server has closed, or the connection broke (`error`).
static void on_end(struct cost_link* link, int error) {
  if (!link->link.active) {
    link_close(&link->link);  // a kept connection that was idle too long for the server
    return;
  }
  if (error == 0) http_response_end(&link->response);
  if (error == 0 && link->response.state == HTTP_COMPLETE) {
    finish(link);
  } else if (link->used && !link->response.begun) {
    link_close(&link->link);  // the server closed it just when the request went out
    connect_anew(link);
  } else if (link->established) {
    broke(link, error);
  } else {
    connect_failed(link, error == 0 ? ECONNRESET : error);
  }
}

static void take(struct cost_link* link, size_t count) {
  struct cost* cost = cost_of(link);
  if (!link->link.active) {
    link_close(&link->link);  // a server's word on an idle connection, as 408
    return;
  }
  http_response_feed(&link->response, cost->client->buffer, count);
  if (link->response.state == HTTP_MALFORMED) {
    cost->counts.malformed++;
    give_up(link);
  } else if (link->response.state == HTTP_COMPLETE) {
    finish(link);
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct cost_link* link = (struct cost_link*)watch;
  // What there is to read comes first: a server that refuses a body answers, and then resets.
  if (ready & READABLE) {
    ptrdiff_t count = link_receive(&link->link);
    if (count > 0) {
      take(link, (size_t)count);
      return;
    }
    if (count == 0 || !(is_transient(errno) || errno == ENOTCONN)) {
      on_end(link, count == 0 ? 0 : errno);
      return;
    }
  }
  if (link->link.active && (ready & WRITABLE)) send_request(&link->link);
}

static void print(const struct client* client) {
  const struct cost* cost = client->state;
  cost_counts_print(&cost->counts);
  printf(",\"stretch\":%.9f,\"clientSystem\":%lld", (double)client->settings->measured_ns / 1e9,
         (long long)(process_system_us() - cost->system_us));
}

const struct load load_cost = {
    .link_size = sizeof(struct cost_link),
    .has_latency = true,
    .has_bytes = true,
    .counts_failures = true,
    .repeats = true,
    .prepare = prepare,
    .begin = begin,
    .on_connect = send_request,
    .on_ready = on_ready,
    .on_deadline = on_deadline,
    .on_patience_over = on_patience_over,
    .print = print,
};
