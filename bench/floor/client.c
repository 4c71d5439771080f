#include "client.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// Below the length of any listener's queue.
enum { OPENED_AT_ONCE = 64 };

struct client client;

static struct watch timer;
static bool time_is_up;

static void on_timer(struct watch* watch, unsigned ready) {
  (void)watch;
  (void)ready;
  time_is_up = true;
}

void client_open_next(void) {
  if (client.opened == settings.connections + settings.idle) return;
  client.load->start(&client.links[client.opened++], clock_ns());
}

static int64_t in_ns(double seconds) { return (int64_t)(seconds * 1e9); }

// Until all operations have ended, or until this time.
static void turn_until(int64_t time) {
  timer_arm(&timer, time - clock_ns());
  time_is_up = false;
  while (client.outstanding > 0 && !time_is_up) events_turn();
}

static void begin(void) {
  bool opens = client.opened == 0;
  for (int i = 0; opens && i < OPENED_AT_ONCE; i++) client_open_next();
  for (size_t i = 0; !opens && i < settings.connections; i++) client.load->start(&client.links[i], clock_ns());
}

// Runs the load for this many seconds and until its operations have ended; returns how long that was, in seconds.
static double run_phase(enum phase phase, double seconds) {
  const struct load* load = client.load;
  int64_t begun = clock_ns();
  client.operations = client.bytes = client.errors = 0;
  client.latency = (struct histogram){0};
  client.phase = phase;
  client.deadline = begun + in_ns(seconds);
  if (load->begin != NULL) {
    load->begin();
  } else {
    begin();
  }
  turn_until(client.deadline);
  if (client.outstanding > 0) {
    if (load->on_deadline != NULL) load->on_deadline();
    turn_until(client.deadline + in_ns(settings.patience));
  }
  if (client.outstanding > 0) {
    if (load->on_patience_over == NULL) {
      errx(EXIT_FAILURE, "%zu operations got no answer in %.0f s", client.outstanding, settings.patience);
    }
    load->on_patience_over();
  }
  client.phase = PHASE_REST;
  return (double)(clock_ns() - begun) / 1e9;
}

static void warm_up(void) {
  double seconds = run_phase(PHASE_WARMUP, settings.warmup);
  control_say("{\"warm\":true,\"seconds\":%.9f,\"operations\":%" PRIu64 "}", seconds, client.operations);
}

static void measure(void) {
  struct cpu before = process_cpu();
  double seconds = run_phase(PHASE_MEASURED, settings.seconds);
  struct cpu after = process_cpu();
  int64_t system = after.system - before.system;
  printf("{\"result\":{\"seconds\":%.9f,\"operations\":%" PRIu64 ",\"bytes\":%" PRIu64, seconds, client.operations,
         client.bytes);
  if (client.latency.count > 0 || client.load->counts_failures) {
    fputs(",\"latency\":", stdout);
    histogram_print(&client.latency);
  }
  if (client.load->print != NULL) client.load->print();
  control_say(",\"errors\":%" PRIu64 ",\"clientCpu\":%" PRId64 ",\"clientSystem\":%" PRId64 "}}", client.errors,
              after.user - before.user + system, system);
  control_say("{\"warm\":true}");
}

void client_run(void) {
  const struct load* load = client.load = settings.of->load;
  size_t count = settings.connections + settings.idle;
  client.links = allocate(count * sizeof *client.links);
  for (size_t i = 0; i < count; i++) {
    client.links[i].idle = i >= settings.connections;
    client.links[i].watch.fd = -1;
    client.links[i].watch.on_ready = load->on_ready != NULL ? load->on_ready : link_on_ready;
  }
  timer_open(&timer, on_timer);
  if (load->prepare != NULL) load->prepare();
  for (warm_up();;) {
    if (control_wait() == WORD_GO) {
      measure();
    } else {
      warm_up();
    }
  }
}
