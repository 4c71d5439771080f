// One kind of request over HTTP/1.x or uwsgi, one outstanding on each link: over kept connections or a connection each.
//
// Closed loop: `connections` requests are outstanding at all times. Open loop (--rate): a request is due every 1/rate
// seconds, whatever became of those before it. It goes out on a connection that is idle, on a new one, or, with
// `connections` of them at work, when one of these comes free; its latency counts from when it was due in each case. So
// a server that stalls is charged with all who would have come meanwhile (no "coordinated omission").
//
// The http cases know what each answer has to be, and any other one is the end. In cost and load the server is of any
// kind; what fails is counted and the load goes on.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>

#include "arrivals.h"
#include "client.h"
#include "http.h"
#include "net.h"
#include "pattern.h"
#include "process.h"

// A closed loop waits so long after a connect that failed: else it would do nothing but fail.
static const int64_t REST_NS = 1000000;

enum {
  STATUSES = 1000,
  ERRORS = 256,  // above any errno
  // Of so many links of a crowd one has its body compared whole, the others the beginnings of its pieces.
  COMPARED_LINKS = 64,
};

// How the requests of one stretch ended.
struct counts {
  uint64_t begun;
  uint64_t in_time;  // answered well before the time of the stretch was up
  uint64_t statuses[STATUSES];
  uint64_t connect_errors[ERRORS];  // by errno
  uint64_t broken[ERRORS];          // by errno; 0: the server closed before its answer was whole
  uint64_t malformed;               // or of another length than is known to be right
  uint64_t unsent;                  // due, with no connection free for them until the time was up
  uint64_t unanswered;              // given up
  uint64_t opened;                  // connections
};

struct http_link {
  struct link link;
  struct http_link* next;  // in the stack that holds it while no request is under way
  struct http_response response;
  uint32_t last;  // number of an answer
  bool compared;  // a whole body of this link has been compared
  bool used;      // the connection has brought an answer before
};

struct http_load {
  struct client* client;
  struct http_request request;
  // What an answer must have.
  int due_status;          // 0: not known before the first one
  size_t due_body;         // or ANY_LENGTH
  const char* expected;    // the bytes of it, where they are compared; else NULL
  struct http_link* idle;  // with a connection, unless the server has closed it since
  struct http_link* free;  // without one
  bool is_open;            // the loop
  bool advancing;
  struct arrivals arrivals;
  struct timer pace;
  bool paced;  // the timer waits for the next request or, in a closed loop, for the end of a rest
  struct counts counts;
  int64_t system_us;  // of this process, when the stretch began
};

static struct http_load* load_of(const struct http_link* http) { return http->link.client->state; }

static bool counts_failures(const struct http_load* load) { return load->client->load->counts_failures; }

static void push(struct http_link** stack, struct http_link* http) {
  http->next = *stack;
  *stack = http;
}

// A connection that is open is better than a new one.
static struct http_link* pop(struct http_load* load) {
  struct http_link** stack = load->idle != NULL ? &load->idle : &load->free;
  struct http_link* http = *stack;
  *stack = http->next;
  return http;
}

static void on_pace(struct timer* timer);

static void prepare(struct client* client) {
  const struct settings* settings = client->settings;
  enum content content = settings->content;
  struct http_load* load = allocate(1, sizeof *load);
  load->client = client;
  client->state = load;
  http_request_make(&load->request, settings);
  load->due_status = settings->any_answer ? 0 : 200;
  load->due_body = settings->answer;
  if (content == CONTENT_FILE || content == CONTENT_PAGE) load->expected = pattern_create(settings->bytes);
  timer_open(client->queue, &load->pace, on_pace);
  for (size_t i = settings->connections; i-- > 0;) push(&load->free, (struct http_link*)client_link(client, i));
}

static void advance(struct http_load* load, int64_t now);

// The request has ended, well or not, and has been counted.
static void release(struct http_link* http, int64_t now) {
  struct http_load* load = load_of(http);
  push(http->link.watch.fd >= 0 ? &load->idle : &load->free, http);
  advance(load, now);
}

static void give_up(struct http_link* http) {
  http->link.client->errors++;
  link_end(&http->link);
  link_close(&http->link);
  release(http, clock_ns());
}

static void pace(struct http_load* load, int64_t delay) {
  if (!load->paced) timer_arm(load->client->queue, &load->pace, delay);
  load->paced = true;
}

static void connect_failed(struct http_link* http, int error) {
  struct http_load* load = load_of(http);
  load->counts.connect_errors[error]++;
  if (!load->is_open) pace(load, REST_NS);
  give_up(http);
}

// Any other failure, `error` if there is a reason. One of the http cases is told, and the end.
static void request_failed(struct http_link* http, uint64_t* count, const char* what, int error) {
  if (!counts_failures(load_of(http))) error == 0 ? fail("%s", what) : die(what, error);
  ++*count;
  give_up(http);
}

static void on_end(struct link* link, int error);

static void send_request(struct link* link) {
  const struct http_request* request = &load_of((struct http_link*)link)->request;
  ptrdiff_t count = send(link->watch.fd, request->data + link->sent, request->length - link->sent, 0);
  if (count < 0 && !is_transient(errno)) {
    on_end(link, errno);
    return;
  }
  if (count > 0) link->sent += (size_t)count;
  link_await(link, link->sent < request->length ? READABLE | WRITABLE : READABLE);
}

static void connect_anew(struct http_link* http) {
  struct http_load* load = load_of(http);
  http->used = false;
  http->link.sent = 0;
  if (!counts_failures(load)) {
    link_connect(&http->link);
    return;
  }
  // A full queue is a failure too, and not tried again.
  int error = net_connect(&load->client->settings->endpoint, &http->link.watch.fd);
  if (error == 0) {
    load->counts.opened++;
    send_request(&http->link);
  } else {
    connect_failed(http, error);
  }
}

static void expect_answer(struct http_link* http) {
  const struct http_load* load = load_of(http);
  http_response_reset(&http->response);
  http->response.expected = load->expected;
  http->response.expected_length = load->due_body;
  http->response.compares_all = !http->compared;
}

static void start(struct link* link, int64_t now) {
  struct http_link* http = (struct http_link*)link;
  expect_answer(http);
  http->link.sent = 0;
  load_of(http)->counts.begun++;
  link_begin(link, now);
  if (link->watch.fd < 0) {
    connect_anew(http);
  } else {
    send_request(link);
  }
}

// Whether a request is due, since `started`. If not, the timer tells when.
static bool is_due(struct http_load* load, int64_t now, int64_t* started) {
  *started = now;
  if (!load->is_open) return true;
  *started = arrivals_due(&load->arrivals);
  if (*started > now) {
    pace(load, *started - now);
    return false;
  }
  arrivals_take(&load->arrivals, load->client->settings);
  return true;
}

// Begins what is to begin now. A request that fails at once comes here again, and finds the loop running.
static void advance(struct http_load* load, int64_t now) {
  if (load->advancing) return;
  load->advancing = true;
  while ((load->is_open || !load->paced) && (load->idle != NULL || load->free != NULL)) {
    int64_t started;
    if (now == 0) now = clock_ns();
    if (now >= load->client->deadline || !is_due(load, now, &started)) break;
    start(&pop(load)->link, started);
    now = 0;
  }
  load->advancing = false;
}

static void on_pace(struct timer* timer) {
  struct http_load* load = OWNER_OF(timer, struct http_load, pace);
  load->paced = false;
  advance(load, clock_ns());
}

static void begin(struct client* client) {
  struct http_load* load = client->state;
  int64_t now = clock_ns();
  load->counts = (struct counts){0};
  load->paced = false;
  load->system_us = process_system_us();
  // Case load, which has no service, warms up in a closed loop.
  bool warms_up = client->phase == PHASE_WARMUP && client->settings->of->service == NULL;
  load->is_open = client->settings->rate > 0 && !warms_up;
  if (load->is_open) arrivals_begin(&load->arrivals, client->settings, now);
  client->outstanding++;  // the stretch itself, which may have moments without a request
  advance(load, now);
}

// The time is up. Who was due and has not even been asked waited at least until now.
static void on_deadline(struct client* client) {
  struct http_load* load = client->state;
  timer_disarm(client->queue, &load->pace);
  client->outstanding--;
  if (!load->is_open) return;
  for (int64_t due; (due = arrivals_due(&load->arrivals)) < client->deadline;) {
    arrivals_take(&load->arrivals, client->settings);
    load->counts.unsent++;
    client->errors++;
    histogram_record(&client->latency, client->deadline - due);
  }
}

// Who has no answer by now waited at least until now.
static void on_patience_over(struct client* client) {
  struct http_load* load = client->state;
  int64_t now = clock_ns();
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct link* link = client_link(client, i);
    if (!link->active) continue;
    load->counts.unanswered++;
    histogram_record(&client->latency, now - link->started);
    give_up((struct http_link*)link);
  }
}

// Whether the answer is all that it should be.
static bool is_right(struct http_load* load, const struct http_response* response) {
  if (load->due_status == 0) {
    load->due_status = response->status;
    load->due_body = response->body;
  }
  return response->status == load->due_status && (load->due_body == ANY_LENGTH || response->body == load->due_body);
}

static void check(struct http_link* http, bool right) {
  const struct http_load* load = load_of(http);
  const struct http_response* response = &http->response;
  if (!right || http->link.sent < load->request.length) {
    fail("an answer with status %d and a body of %" PRIu64 " bytes, where %d and %zu were due", response->status,
         response->body, load->due_status, load->due_body);
  }
  bool numbered = load->client->settings->content == CONTENT_NUMBERED;
  if (numbered && response->number <= http->last) fail("a body that has been sent before");
  http->last = response->number;
  http->compared = true;
}

static void finish(struct http_link* http) {
  struct http_load* load = load_of(http);
  struct link* link = &http->link;
  struct client* client = load->client;
  const struct http_response* response = &http->response;
  bool right = is_right(load, response);
  bool counts = counts_failures(load);
  if (!counts) check(http, right);
  // A server may answer before it has read all; what is left of the request has no place on the connection then.
  bool reusable = client->settings->keep_alive && !response->closes && http->link.sent == load->request.length;
  http->used = true;
  int done_with = -1;
  if (!reusable && counts) done_with = events_let_go(&link->watch);
  if (!reusable && !counts) link_close(link);
  int64_t now = clock_ns();
  load->counts.statuses[response->status]++;
  if (right) {
    client->bytes += response->body;
    if (now <= client->deadline) load->counts.in_time++;
    link_complete(link, now);
  } else {
    if (response->status == load->due_status) load->counts.malformed++;
    client->errors++;
    link_end(link);
  }
  release(http, now);
  // As a front does, which first passes the answer on: a server that closes by itself mostly comes first.
  if (done_with >= 0) close(done_with);
}

static void on_end(struct link* link, int error) {
  struct http_link* http = (struct http_link*)link;
  struct http_load* load = load_of(http);
  if (!link->active) {
    link_close(link);  // a kept connection that was idle too long for the server
    return;
  }
  // A body may last until then.
  bool whole = http->response.state == HTTP_UNTIL_END || http->response.state == HTTP_COMPLETE;
  if (error == 0 && whole) {
    finish(http);
  } else if (http->used && !http->response.begun) {
    link_close(link);  // the server closed it just when the request went out
    connect_anew(http);
  } else if (http->link.sent > 0 || !counts_failures(load)) {
    request_failed(http, &load->counts.broken[error], "the connection ended before the answer", error);
  } else {
    connect_failed(http, error == 0 ? ECONNRESET : error);
  }
}

// Bytes of an answer have come. True if it is whole.
static bool take_part(struct http_link* http, size_t count) {
  struct http_load* load = load_of(http);
  struct http_response* response = &http->response;
  http_response_feed(response, load->client->buffer, count);
  if (response->state != HTTP_MALFORMED) return response->state == HTTP_COMPLETE;
  const char* what = response->differs ? "a body that is not what was asked for" : "a malformed answer";
  request_failed(http, &load->counts.malformed, what, 0);
  return false;
}

static void take(struct link* link, size_t count) {
  struct http_link* http = (struct http_link*)link;
  bool counts = counts_failures(load_of(http));
  if (!link->active) {
    if (!counts) fail("an answer that nobody asked for");
    link_close(link);  // a server's word on an idle connection, as 408
  } else if (take_part(http, count) && (counts || link->client->settings->keep_alive)) {
    finish(http);  // to the others, the end of a connection of its own belongs to the answer
  }
}

// By what there are any of.
static void print_table(const char* name, const uint64_t* counts, size_t size) {
  const char* comma = "";
  printf(",\"%s\":{", name);
  for (size_t i = 0; i < size; i++) {
    if (counts[i] == 0) continue;
    printf("%s\"%zu\":%" PRIu64, comma, i, counts[i]);
    comma = ",";
  }
  fputs("}", stdout);
}

static void print(const struct client* client) {
  const struct http_load* load = client->state;
  const struct counts* counts = &load->counts;
  printf(",\"begun\":%" PRIu64 ",\"inTime\":%" PRIu64 ",\"malformed\":%" PRIu64 ",\"unsent\":%" PRIu64, counts->begun,
         counts->in_time, counts->malformed, counts->unsent);
  printf(",\"unanswered\":%" PRIu64 ",\"opened\":%" PRIu64, counts->unanswered, counts->opened);
  printf(",\"stretch\":%.9f,\"clientSystem\":%" PRId64, client->settings->seconds,
         process_system_us() - load->system_us);
  print_table("statuses", counts->statuses, STATUSES);
  print_table("connectErrors", counts->connect_errors, ERRORS);
  print_table("broken", counts->broken, ERRORS);
}

#define OVER_HTTP \
  .link_size = sizeof(struct http_link), .prepare = prepare, .start = start, .send = send_request, .on_end = on_end

const struct load load_http = {OVER_HTTP, .begin = begin, .take = take, .on_deadline = on_deadline};

const struct load load_cost = {OVER_HTTP,
                               .begin = begin,
                               .take = take,
                               .on_deadline = on_deadline,
                               .counts_failures = true,
                               .on_patience_over = on_patience_over,
                               .print = print};

// A crowd: all links ask in the warm-up, and none reads before each of them has the beginning of its answer; then all
// are read to their ends.
static void begin_crowd(struct client* client) {
  if (client->phase == PHASE_WARMUP) {
    client_set_up(client);
    return;
  }
  for (size_t i = 0; i < client->settings->connections; i++) {
    struct http_link* http = (struct http_link*)client_link(client, i);
    http->compared = i % COMPARED_LINKS != 0;
    expect_answer(http);
    link_begin(&http->link, clock_ns());
    link_await(&http->link, READABLE);
  }
}

static void take_from_crowd(struct link* link, size_t count) {
  struct http_link* http = (struct http_link*)link;
  if (!take_part(http, count)) return;
  check(http, is_right(load_of(http), &http->response));
  link_end(link);
  link->client->operations++;
  link_await(link, 0);
}

static void on_crowd_ready(struct watch* watch, unsigned ready) {
  struct link* link = (struct link*)watch;
  if (link->client->phase != PHASE_WARMUP || !(ready & READABLE)) {
    link_on_ready(watch, ready);
    return;
  }
  // It waits in the kernel, unread.
  link_await(link, 0);
  link_complete(link, clock_ns());
  client_set_up_next(link->client);
}

const struct load load_crowd = {OVER_HTTP, .begin = begin_crowd, .take = take_from_crowd, .on_ready = on_crowd_ready};
