// One kind of HTTP/1.x request, one outstanding on each link: over kept connections or one each.
//
// Closed loop: `connections` requests are outstanding at all times. Open loop (--rate): a request is due every 1/rate
// seconds, whatever happened to earlier ones. It is sent on an idle connection, on a new one, or, if `connections` of
// them are busy, when one of these becomes free; its latency always counts from when it was due. So a server that
// stalls is charged for all requests that were due meanwhile (no "coordinated omission"). The warm-up is closed.
//
// The http cases know the expected response, and any other one ends the program. In cost and load the server is of any
// kind; failures are counted and the load continues.
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pattern.h"

// The pause of a closed loop after a failed connect: otherwise it would do nothing but fail.
static const int64_t REST_NS = 1000000;

enum {
  STATUSES = 1000,
  ERRORS = 256,  // above any errno
  // One out of this many links of a crowd has its whole body compared, the others the beginnings of its pieces.
  COMPARED_LINKS = 64,
};

static struct iovec request;
// Properties of a valid response.
static int due_status;          // 0: not known before the first one
static size_t due_body;         // or ANY_LENGTH
static const char* expected;    // its bytes, if they are compared; otherwise NULL
static struct link* idle;       // with a connection, unless the server has closed it meanwhile
static struct link* free_link;  // without one
static bool advancing;
static struct watch pace_timer;
static bool paced;  // the timer waits for the next request or, in a closed loop, for the end of a pause

// The schedule of an open loop: when its requests are due, whatever happened to earlier ones.
static struct {
  bool is_open;    // the loop is open
  int64_t begun;   // ns, when the stretch began
  double next;     // ns from then to the next request
  uint64_t taken;  // requests before it
} schedule;

// How the requests of one stretch ended.
static struct {
  uint64_t begun;
  uint64_t in_time;  // answered well before the end of the stretch
  uint64_t statuses[STATUSES];
  uint64_t connect_errors[ERRORS];  // by errno
  uint64_t broken[ERRORS];          // by errno; 0: the server closed before its response was complete
  uint64_t malformed;               // or of an unexpected length
  uint64_t unsent;                  // due, but no connection was free for them until the end
  uint64_t unanswered;              // abandoned
  uint64_t opened;                  // connections
} counts;

static void push(struct link** stack, struct link* link) {
  link->next = *stack;
  *stack = link;
}

// An open connection is preferred to a new one.
static struct link* pop(void) {
  struct link** stack = idle != NULL ? &idle : &free_link;
  struct link* link = *stack;
  *stack = link->next;
  return link;
}

// The next request follows after a gap as in a Poisson process, or with its burst.
static void plan_next(void) {
  double interval = 1e9 / settings.rate;
  uint64_t burst = settings.arrival == ARRIVAL_BURST ? settings.connections : 1;
  if (settings.arrival == ARRIVAL_POISSON) {
    schedule.next -= log(1 - drand48()) * interval;
  } else {
    schedule.next = (double)(schedule.taken / burst * burst) * interval;
  }
}

// The same settings give the same schedule.
static void schedule_begin(int64_t now) {
  schedule.is_open = settings.rate > 0 && client.phase == PHASE_MEASURED;
  schedule.begun = now;
  schedule.next = 0;
  schedule.taken = 0;
  srand48((long)settings.seed);
  if (schedule.is_open) plan_next();
}

static int64_t next_due(void) { return schedule.begun + (int64_t)schedule.next; }

// The request has begun, or has been abandoned: moves on to the next one.
static void schedule_take(void) {
  schedule.taken++;
  plan_next();
}

static void advance(int64_t now);

static void on_pace(struct watch* timer, unsigned ready) {
  (void)timer;
  (void)ready;
  paced = false;
  advance(clock_ns());
}

static void pace(int64_t delay) {
  if (!paced) timer_arm(&pace_timer, delay);
  paced = true;
}

static void prepare(void) {
  request = http_request_make();
  due_status = settings.any_answer ? 0 : 200;
  due_body = settings.answer;
  if (settings.content >= CONTENT_FILE) expected = pattern_create(settings.bytes);
  timer_open(&pace_timer, on_pace);
  for (size_t i = settings.connections; i-- > 0;) push(&free_link, &client.links[i]);
}

// The request has ended, successfully or not, and has been counted.
static void release(struct link* link, int64_t now) {
  push(link->watch.fd >= 0 ? &idle : &free_link, link);
  advance(now);
}

static void give_up(struct link* link) {
  client.errors++;
  link_end(link);
  link_close(link);
  release(link, clock_ns());
}

static void connect_failed(struct link* link, int error) {
  counts.connect_errors[error]++;
  if (!schedule.is_open) pace(REST_NS);
  give_up(link);
}

// Any other failure, with `error` if there is a reason. In the http cases it is reported and ends the program.
static void request_failed(struct link* link, uint64_t* count, const char* what, int error) {
  if (!client.load->counts_failures)
    errx(EXIT_FAILURE, "%s%s%s", what, error ? ": " : "", error ? strerror(error) : "");
  ++*count;
  give_up(link);
}

static void on_end(struct link* link, int error);

static void send_request(struct link* link) {
  ptrdiff_t count = send(link->watch.fd, (const char*)request.iov_base + link->sent, request.iov_len - link->sent, 0);
  if (count < 0 && !is_transient(errno)) {
    on_end(link, errno);
    return;
  }
  if (count > 0) link->sent += (size_t)count;
  events_set(&link->watch, link->sent < request.iov_len ? READABLE | WRITABLE : READABLE);
}

static void connect_anew(struct link* link) {
  link->used = false;
  link->sent = 0;
  if (!client.load->counts_failures) {
    link_connect(link);
    return;
  }
  // A full queue is also a failure, and is not retried.
  int error = link_try_connect(link);
  if (error == 0) {
    counts.opened++;
  } else {
    connect_failed(link, error);
  }
}

static void expect_answer(struct link* link) {
  link->response =
      (struct http_response){.expected = expected, .expected_length = due_body, .compares_all = !link->compared};
}

static void start(struct link* link, int64_t now) {
  expect_answer(link);
  link->sent = 0;
  counts.begun++;
  link_begin(link, now);
  if (link->watch.fd < 0) {
    connect_anew(link);
  } else {
    send_request(link);
  }
}

// Begins the requests that are due now; a timer signals later ones. A request that fails at once gets here again, and
// finds the loop running.
static void advance(int64_t now) {
  if (advancing) return;
  advancing = true;
  while ((schedule.is_open || !paced) && (idle != NULL || free_link != NULL)) {
    if (now == 0) now = clock_ns();
    int64_t due = schedule.is_open ? next_due() : now;
    if (due > now) pace(due - now);
    if (due > now || now >= client.deadline) break;
    if (schedule.is_open) schedule_take();
    start(pop(), due);
    now = 0;
  }
  advancing = false;
}

static void begin(void) {
  int64_t now = clock_ns();
  memset(&counts, 0, sizeof counts);
  paced = false;
  schedule_begin(now);
  client.outstanding++;  // represents the stretch itself, which may have moments without a request
  advance(now);
}

// The time is up. Requests that were due and have not been sent have waited at least until now.
static void on_deadline(void) {
  client.outstanding--;
  if (!schedule.is_open) return;
  for (int64_t due; (due = next_due()) < client.deadline; schedule_take()) {
    counts.unsent++;
    client.errors++;
    histogram_record(&client.latency, client.deadline - due);
  }
}

// Requests without a response have waited at least until now.
static void on_patience_over(void) {
  int64_t now = clock_ns();
  for (size_t i = 0; i < settings.connections; i++) {
    struct link* link = &client.links[i];
    if (!link->active) continue;
    counts.unanswered++;
    histogram_record(&client.latency, now - link->started);
    give_up(link);
  }
}

// Whether the response is valid.
static bool is_right(const struct http_response* response) {
  if (due_status == 0) {
    due_status = response->status;
    due_body = response->body;
  }
  return response->status == due_status && (due_body == ANY_LENGTH || response->body == due_body);
}

static void check(struct link* link) {
  const struct http_response* response = &link->response;
  if (!is_right(response) || link->sent < request.iov_len) {
    errx(EXIT_FAILURE, "an answer with status %d and a body of %" PRIu64 " bytes, where %d and %zu were due",
         response->status, response->body, due_status, due_body);
  }
  bool numbered = settings.content == CONTENT_NUMBERED;
  if (numbered && response->number <= link->last) errx(EXIT_FAILURE, "a body that has been sent before");
  link->last = response->number;
  link->compared = true;
}

static void finish(struct link* link) {
  const struct http_response* response = &link->response;
  if (!client.load->counts_failures) check(link);
  // A server may respond before it has read everything; then the rest of the request cannot be sent on the connection.
  bool reusable = settings.keep_alive && !response->closes && link->sent == request.iov_len;
  link->used = true;
  int done_with = reusable ? -1 : events_let_go(&link->watch);
  int64_t now = clock_ns();
  counts.statuses[response->status]++;
  if (is_right(response)) {
    client.bytes += response->body;
    if (now <= client.deadline) counts.in_time++;
    link_complete(link, now);
  } else {
    if (response->status == due_status) counts.malformed++;
    client.errors++;
    link_end(link);
  }
  release(link, now);
  // Closes after that, like a reverse proxy, which first passes the response on: a server that closes by itself mostly
  // does so first.
  if (done_with >= 0) close(done_with);
}

static void on_end(struct link* link, int error) {
  if (!link->active) {
    link_close(link);  // a kept connection that was idle too long for the server
    return;
  }
  // A body may extend to the end of the connection.
  bool whole = link->response.state == HTTP_UNTIL_END || link->response.state == HTTP_COMPLETE;
  if (error == 0 && whole) {
    finish(link);
  } else if (link->used && link->response.state == HTTP_IN_HEAD && link->input.length == 0) {
    link_close(link);  // nothing was received: the server closed it just as the request was sent
    connect_anew(link);
  } else if (link->sent > 0 || !client.load->counts_failures) {
    request_failed(link, &counts.broken[error], "the connection ended before the answer", error);
  } else {
    connect_failed(link, error == 0 ? ECONNRESET : error);
  }
}

// Bytes of a response have arrived; returns how many of them have been used.
static size_t take_part(struct link* link, const char* data, size_t length) {
  struct http_response* response = &link->response;
  size_t used = http_response_feed(response, data, length);
  if (response->state != HTTP_MALFORMED) return used;
  const char* what = response->differs ? "a body that is not what was asked for" : "a malformed answer";
  request_failed(link, &counts.malformed, what, 0);
  return length;
}

static size_t take(struct link* link, const char* data, size_t length) {
  bool counts_failures = client.load->counts_failures;
  if (!link->active) {
    if (!counts_failures) errx(EXIT_FAILURE, "an answer that nobody asked for");
    link_close(link);  // a server's message on an idle connection, such as 408
    return length;
  }
  size_t used = take_part(link, data, length);
  // In the http cases, the end of an unshared connection belongs to the response.
  if (link->response.state == HTTP_COMPLETE && (counts_failures || settings.keep_alive)) finish(link);
  return used;
}

// Prints the nonzero entries.
static void print_table(const char* name, const uint64_t* table, size_t size) {
  const char* comma = "";
  printf(",\"%s\":{", name);
  for (size_t i = 0; i < size; i++) {
    if (table[i] == 0) continue;
    printf("%s\"%zu\":%" PRIu64, comma, i, table[i]);
    comma = ",";
  }
  fputs("}", stdout);
}

static void print(void) {
  printf(",\"begun\":%" PRIu64 ",\"inTime\":%" PRIu64 ",\"malformed\":%" PRIu64 ",\"unsent\":%" PRIu64, counts.begun,
         counts.in_time, counts.malformed, counts.unsent);
  printf(",\"unanswered\":%" PRIu64 ",\"opened\":%" PRIu64, counts.unanswered, counts.opened);
  print_table("statuses", counts.statuses, STATUSES);
  print_table("connectErrors", counts.connect_errors, ERRORS);
  print_table("broken", counts.broken, ERRORS);
}

// A crowd: all links send a request in the warm-up, and none reads before each of them has the beginning of its
// response; then all are read completely.
static void start_in_crowd(struct link* link, int64_t now) {
  if (link->watch.fd < 0) {
    start(link, now);
    return;
  }
  link->compared = (link - client.links) % COMPARED_LINKS != 0;
  expect_answer(link);
  link_begin(link, now);
  events_set(&link->watch, READABLE);
}

static size_t take_from_crowd(struct link* link, const char* data, size_t length) {
  size_t used = take_part(link, data, length);
  if (link->response.state == HTTP_COMPLETE) {
    check(link);
    link_end(link);
    client.operations++;
    events_set(&link->watch, 0);
  }
  return used;
}

static void on_crowd_ready(struct watch* watch, unsigned ready) {
  struct link* link = (struct link*)watch;
  if (client.phase != PHASE_WARMUP || !(ready & READABLE)) {
    link_on_ready(watch, ready);
    return;
  }
  // The response waits in the kernel, unread.
  events_set(watch, 0);
  link_complete(link, clock_ns());
  client_open_next();
}

#define OVER_HTTP .prepare = prepare, .send = send_request, .on_end = on_end
#define IN_STRETCHES OVER_HTTP, .begin = begin, .start = start, .take = take, .on_deadline = on_deadline

const struct load load_http = {IN_STRETCHES};
const struct load load_cost = {IN_STRETCHES, .counts_failures = true, .on_patience_over = on_patience_over,
                               .print = print};
const struct load load_crowd = {OVER_HTTP, .start = start_in_crowd, .take = take_from_crowd,
                                .on_ready = on_crowd_ready};
