// One kind of request, answered as by HTTP/1.x, one outstanding on each link: over kept connections or one each.
//
// Closed loop: `connections` requests are outstanding at all times. Open loop (--rate): a request is due every 1/rate
// seconds, whatever became of those before it. It goes out on a connection that is idle, on a new one, or, with
// `connections` of them at work, when one of these comes free; its latency counts from when it was due in each case. So
// a server that stalls is charged with all who would have come meanwhile (no "coordinated omission"). The warm-up is
// closed.
//
// The http cases know what each answer has to be, and any other one is the end. In cost and load the server is of any
// kind; what fails is counted and the load goes on.
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "pattern.h"

// A closed loop waits so long after a connect that failed: else it would do nothing but fail.
static const int64_t REST_NS = 1000000;

enum {
  STATUSES = 1000,
  ERRORS = 256,  // above any errno
  // Of so many links of a crowd one has its body compared whole, the others the beginnings of its pieces.
  COMPARED_LINKS = 64,
};

static struct iovec request;
// What an answer must have.
static int due_status;          // 0: not known before the first one
static size_t due_body;         // or ANY_LENGTH
static const char* expected;    // the bytes of it, where they are compared; else NULL
static struct link* idle;       // with a connection, unless the server has closed it since
static struct link* free_link;  // without one
static bool advancing;
static struct watch pace_timer;
static bool paced;  // the timer waits for the next request or, in a closed loop, for the end of a rest

// The schedule of an open loop: when its requests are due, whatever became of those before them.
static struct {
  bool is_open;    // the loop
  int64_t begun;   // ns, when the stretch began
  double next;     // ns from there to the next request
  uint64_t taken;  // requests before it
} schedule;

// How the requests of one stretch ended.
static struct {
  uint64_t begun;
  uint64_t in_time;  // answered well before the time of the stretch was up
  uint64_t statuses[STATUSES];
  uint64_t connect_errors[ERRORS];  // by errno
  uint64_t broken[ERRORS];          // by errno; 0: the server closed before its answer was whole
  uint64_t malformed;               // or of another length than is known to be right
  uint64_t unsent;                  // due, with no connection free for them until the time was up
  uint64_t unanswered;              // given up
  uint64_t opened;                  // connections
} counts;

static void push(struct link** stack, struct link* link) {
  link->next = *stack;
  *stack = link;
}

// A connection that is open is better than a new one.
static struct link* pop(void) {
  struct link** stack = idle != NULL ? &idle : &free_link;
  struct link* link = *stack;
  *stack = link->next;
  return link;
}

// The next one is due after a gap as of a Poisson process, or with its burst.
static void plan_next(void) {
  double interval = 1e9 / settings.rate;
  uint64_t burst = settings.arrival == ARRIVAL_BURST ? settings.connections : 1;
  if (settings.arrival == ARRIVAL_POISSON) {
    schedule.next -= log(1 - drand48()) * interval;
  } else {
    schedule.next = (double)(schedule.taken / burst * burst) * interval;
  }
}

// The same settings, the same schedule.
static void schedule_begin(int64_t now) {
  schedule.is_open = settings.rate > 0 && client.phase == PHASE_MEASURED;
  schedule.begun = now;
  schedule.next = 0;
  schedule.taken = 0;
  srand48((long)settings.seed);
  if (schedule.is_open) plan_next();
}

static int64_t next_due(void) { return schedule.begun + (int64_t)schedule.next; }

// It has begun, or has been given up: what was the one after it is the next one.
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

// The request has ended, well or not, and has been counted.
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

// Any other failure, `error` if there is a reason. One of the http cases is told, and the end.
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
  // A full queue is a failure too, and not tried again.
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

// Begins what is to begin now; a timer tells of what is due later. A request that fails at once comes here again, and
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
  client.outstanding++;  // the stretch itself, which may have moments without a request
  advance(now);
}

// The time is up. Who was due and has not even been asked waited at least until now.
static void on_deadline(void) {
  client.outstanding--;
  if (!schedule.is_open) return;
  for (int64_t due; (due = next_due()) < client.deadline; schedule_take()) {
    counts.unsent++;
    client.errors++;
    histogram_record(&client.latency, client.deadline - due);
  }
}

// Who has no answer by now waited at least until now.
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

// Whether the answer is all that it should be.
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
  // A server may answer before it has read all; what is left of the request has no place on the connection then.
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
  // As a front does, which first passes the answer on: a server that closes by itself mostly comes first.
  if (done_with >= 0) close(done_with);
}

static void on_end(struct link* link, int error) {
  if (!link->active) {
    link_close(link);  // a kept connection that was idle too long for the server
    return;
  }
  // A body may last until then.
  bool whole = link->response.state == HTTP_UNTIL_END || link->response.state == HTTP_COMPLETE;
  if (error == 0 && whole) {
    finish(link);
  } else if (link->used && link->response.state == HTTP_IN_HEAD && link->input.length == 0) {
    link_close(link);  // nothing has come: the server closed it just when the request went out
    connect_anew(link);
  } else if (link->sent > 0 || !client.load->counts_failures) {
    request_failed(link, &counts.broken[error], "the connection ended before the answer", error);
  } else {
    connect_failed(link, error == 0 ? ECONNRESET : error);
  }
}

// Bytes of an answer have come; returns how many of them are of use by now.
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
    link_close(link);  // a server's word on an idle connection, as 408
    return length;
  }
  size_t used = take_part(link, data, length);
  // To the http cases, the end of a connection of its own belongs to the answer.
  if (link->response.state == HTTP_COMPLETE && (counts_failures || settings.keep_alive)) finish(link);
  return used;
}

// By what there are any of.
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

// A crowd: all links ask in the warm-up, and none reads before each of them has the beginning of its answer; then all
// are read to their ends.
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
  // It waits in the kernel, unread.
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
