#include "client.h"

#include <inttypes.h>
#include <stdio.h>

#include "process.h"

// Below any listener's queue.
enum { SETUPS_AT_ONCE = 64 };

static int64_t in_ns(double seconds) { return (int64_t)(seconds * 1e9); }

static void on_deadline(struct timer* timer) {
  struct client* client = OWNER_OF(timer, struct client, deadline_timer);
  if (!client->deadline_told && client->load->on_deadline != NULL) client->load->on_deadline(client);
  client->deadline_told = true;
  int64_t left = client->deadline + in_ns(client->settings->patience) - clock_ns();
  client->patience_over = left <= 0;
  if (left > 0) timer_arm(client->queue, timer, left);
}

static void begin(struct client* client) {
  const struct load* load = client->load;
  if (load->begin != NULL) {
    load->begin(client);
    return;
  }
  for (size_t i = 0; i < client->settings->connections; i++) load->start(client_link(client, i), clock_ns());
}

void client_set_up_next(struct client* client) {
  // Each link that has begun is done or is under way.
  size_t next = client->operations + client->outstanding;
  if (next < client->settings->connections) client->load->start(client_link(client, next), clock_ns());
}

void client_set_up(struct client* client) {
  for (int i = 0; i < SETUPS_AT_ONCE; i++) client_set_up_next(client);
}

// Runs the load for so many seconds and until its operations have ended; false if the orchestrator went away.
static bool run_phase(struct client* client, enum phase phase, double seconds) {
  client->operations = client->bytes = client->errors = 0;
  client->latency = (struct histogram){0};
  client->phase = phase;
  client->patience_over = client->deadline_told = false;
  client->deadline = clock_ns() + in_ns(seconds);
  timer_arm(client->queue, &client->deadline_timer, in_ns(seconds));
  begin(client);
  while (client->outstanding > 0 && !client->patience_over) {
    events_turn(client->queue);
    if (client->control.ended) return false;
  }
  timer_disarm(client->queue, &client->deadline_timer);
  if (client->outstanding > 0) {
    if (client->load->on_patience_over == NULL) {
      fail("%zu operations got no answer in %.0f s", client->outstanding, client->settings->patience);
    }
    client->load->on_patience_over(client);
  }
  client->phase = PHASE_REST;
  return true;
}

static void print_latency(const struct histogram* latency) {
  printf(",\"latency\":{\"count\":%" PRIu64 ",\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f",
         latency->count, histogram_quantile_us(latency, 500), histogram_quantile_us(latency, 900),
         histogram_quantile_us(latency, 990), histogram_quantile_us(latency, 999), (double)latency->max / 1e3);
  fputs(",\"steps\":", stdout);
  histogram_print(latency);
  fputs("}", stdout);
}

static void print_result(const struct client* client, int64_t nanoseconds, int64_t cpu_us) {
  printf("{\"result\":{\"seconds\":%.9f,\"operations\":%" PRIu64 ",\"bytes\":%" PRIu64, (double)nanoseconds / 1e9,
         client->operations, client->bytes);
  if (client->latency.count > 0 || client->load->counts_failures) print_latency(&client->latency);
  if (client->load->print != NULL) client->load->print(client);
  control_say(",\"errors\":%" PRIu64 ",\"clientCpu\":%" PRId64 "}}", client->errors, cpu_us);
}

// False if the orchestrator went away.
static bool warm_up(struct client* client) {
  int64_t begun = clock_ns();
  if (!run_phase(client, PHASE_WARMUP, client->settings->warmup)) return false;
  control_say("{\"warm\":true,\"seconds\":%.9f,\"operations\":%" PRIu64 "}", (double)(clock_ns() - begun) / 1e9,
              client->operations);
  return true;
}

// False if the orchestrator went away.
static bool measure(struct client* client) {
  int64_t cpu = process_cpu_us();
  int64_t begun = clock_ns();
  if (!run_phase(client, PHASE_MEASURED, client->settings->seconds)) return false;
  int64_t ended = clock_ns();
  print_result(client, ended - begun, process_cpu_us() - cpu);
  control_say("{\"warm\":true}");
  return true;
}

// CONTROL_NOTHING if the orchestrator went away.
static enum control_word wait_for_word(struct client* client) {
  struct control* control = &client->control;
  control->word = CONTROL_NOTHING;
  while (control->word == CONTROL_NOTHING && !control->ended) events_turn(client->queue);
  return control->word;
}

static void run(struct client* client) {
  bool goes_on = warm_up(client);
  while (goes_on) {
    enum control_word word = wait_for_word(client);
    goes_on = word == CONTROL_GO ? measure(client) : word == CONTROL_WARM && warm_up(client);
  }
}

void client_run(const struct settings* settings) {
  static struct client client;
  const struct load* load = settings->of->load;
  client.settings = settings;
  client.load = load;
  client.queue = events_open();
  client.buffer = allocate(CLIENT_RECEIVE_CAPACITY, 1);
  size_t count = settings->connections + settings->idle;
  client.link_size = load->link_size > 0 ? load->link_size : sizeof(struct link);
  client.links = allocate(count, client.link_size);
  for (size_t i = 0; i < count; i++) {
    struct link* link = client_link(&client, i);
    link->client = &client;
    link->idle = i >= settings->connections;
    link->watch = (struct watch){.fd = -1, .on_ready = load->on_ready != NULL ? load->on_ready : link_on_ready};
  }
  if (load->prepare != NULL) load->prepare(&client);
  control_open(&client.control, client.queue);
  timer_open(client.queue, &client.deadline_timer, on_deadline);
  timer_open(client.queue, &client.retry_timer, client_retry);
  run(&client);
}
