#include "client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "process.h"
#include "report.h"

static double in_us(double nanoseconds) { return nanoseconds / 1e3; }

static void on_deadline(struct timer* timer) {
  struct client* client = (struct client*)((char*)timer - offsetof(struct client, deadline_timer));
  if (!client->deadline_told && client->load->on_deadline != NULL) client->load->on_deadline(client);
  client->deadline_told = true;
  if (clock_ns() >= client->deadline + client->settings->patience_ns) {
    client->patience_over = true;
    return;
  }
  timer_arm(client->queue, timer, client->deadline + client->settings->patience_ns - clock_ns());
}

// Runs the load for the given time and until its operations have ended; false if the orchestrator went away.
static bool run_phase(struct client* client, int64_t nanoseconds) {
  client->patience_over = false;
  client->deadline_told = false;
  client->deadline = clock_ns() + nanoseconds;
  timer_arm(client->queue, &client->deadline_timer, nanoseconds);
  client->load->begin(client);
  while (client->outstanding > 0 && !client->patience_over) {
    events_turn(client->queue);
    if (client->control.ended) return false;
    client_retry_waiting(client);
  }
  timer_disarm(client->queue, &client->deadline_timer);
  if (client->outstanding == 0) return true;
  if (client->load->on_patience_over == NULL) {
    fail("%zu operations got no answer in %.0f s", client->outstanding, (double)client->settings->patience_ns / 1e9);
  }
  client->load->on_patience_over(client);
  return true;
}

static void reset_counts(struct client* client) {
  client->operations = 0;
  client->errors = 0;
  client->bytes = 0;
  client->reconnects = 0;
  client->connect_retries = 0;
  histogram_reset(&client->latency);
}

static void print_latency(const struct histogram* latency) {
  printf(",\"latency\":{\"count\":%" PRIu64 ",\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f",
         latency->count, in_us(histogram_quantile(latency, 500)), in_us(histogram_quantile(latency, 900)),
         in_us(histogram_quantile(latency, 990)), in_us(histogram_quantile(latency, 999)), in_us((double)latency->max));
  fputs(",\"steps\":", stdout);
  histogram_print(latency);
  fputs("}", stdout);
}

static void print_result(const struct client* client, int64_t nanoseconds, int64_t cpu_us) {
  printf("{\"result\":{\"seconds\":%.9f,\"operations\":%" PRIu64, (double)nanoseconds / 1e9, client->operations);
  if (client->load->has_bytes) printf(",\"bytes\":%" PRIu64, client->bytes);
  if (client->load->has_latency) print_latency(&client->latency);
  if (client->load->has_connects) {
    printf(",\"reconnects\":%" PRIu64 ",\"connectRetries\":%" PRIu64, client->reconnects, client->connect_retries);
  }
  if (client->load->print != NULL) client->load->print(client);
  control_say(",\"errors\":%" PRIu64 ",\"clientCpu\":%" PRId64 "}}", client->errors, cpu_us);
}

// False if the orchestrator went away.
static bool warm_up(struct client* client) {
  client->phase = PHASE_WARMUP;
  reset_counts(client);
  int64_t begun = clock_ns();
  if (!run_phase(client, client->settings->warmup_ns)) return false;
  if (client->errors > 0 && !client->load->counts_failures) fail("%" PRIu64 " errors in the warm-up", client->errors);
  client->phase = PHASE_READY;
  control_say("{\"warm\":true,\"seconds\":%.9f,\"operations\":%" PRIu64 "}", (double)(clock_ns() - begun) / 1e9,
              client->operations);
  return true;
}

// False if the orchestrator went away.
static bool wait_for_word(struct client* client) {
  client->control.word = CONTROL_NOTHING;
  client->control.may_go = true;
  while (client->control.word == CONTROL_NOTHING) {
    if (client->control.ended) return false;
    events_turn(client->queue);
  }
  return true;
}

// False if the orchestrator went away.
static bool wait_for_go(struct client* client) {
  client->phase = PHASE_READY;
  for (;;) {
    if (!wait_for_word(client)) return false;
    if (client->control.word == CONTROL_GO) return true;
    if (!warm_up(client)) return false;
  }
}

// False if the orchestrator went away.
static bool measure(struct client* client) {
  client->phase = PHASE_MEASURED;
  reset_counts(client);
  int64_t cpu = process_cpu_us();
  int64_t begun = clock_ns();
  if (!run_phase(client, client->settings->measured_ns)) return false;
  int64_t ended = clock_ns();
  cpu = process_cpu_us() - cpu;
  client->phase = PHASE_DONE;
  print_result(client, ended - begun, cpu);
  return true;
}

static void run(struct client* client) {
  if (!warm_up(client)) return;
  do {
    if (!wait_for_go(client) || !measure(client)) return;
    if (client->load->repeats) control_say("{\"warm\":true}");
  } while (client->load->repeats);
  while (!client->control.ended) events_turn(client->queue);
}

void client_run(const struct settings* settings, const struct load* load) {
  static struct client client;
  client.settings = settings;
  client.load = load;
  client.queue = events_open();
  client.buffer = allocate(CLIENT_RECEIVE_CAPACITY, 1);
  size_t count = settings->connections + settings->idle;
  client.links = allocate(count, load->link_size);
  for (size_t i = 0; i < count; i++) {
    struct link* link = client_link(&client, i);
    link->client = &client;
    link->idle = i >= settings->connections;
    link->watch = (struct watch){.fd = -1, .on_ready = load->on_ready};
  }
  if (load->prepare != NULL) load->prepare(&client);
  control_open(&client.control, client.queue);
  timer_open(client.queue, &client.deadline_timer, on_deadline);
  client_open_retries(&client);
  run(&client);
}
