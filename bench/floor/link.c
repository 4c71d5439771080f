// The links of a client: connecting, counting, closing.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "net.h"
#include "process.h"
#include "report.h"

// A full queue of a UNIX listener answers EAGAIN at once, and no event tells when there is room again.
static const int64_t RETRY_NS = 1000000;
// How long one connect may be tried again.
static const int64_t CONNECT_PATIENCE_NS = 5 * INT64_C(1000000000);

struct link* client_link(struct client* client, size_t index) {
  return (struct link*)(client->links + index * client->load->link_size);
}

void link_begin(struct link* link, int64_t now) {
  link->active = true;
  link->started = now;
  link->client->outstanding++;
}

void link_end(struct link* link) {
  link->active = false;
  link->client->outstanding--;
}

void link_complete(struct link* link, int64_t now) {
  struct client* client = link->client;
  link_end(link);
  client->operations++;
  histogram_record(&client->latency, now - link->started);
}

void link_fail(struct link* link, const char* what, int error) {
  struct client* client = link->client;
  if (client->errors++ == 0) fprintf(stderr, "floor: %s: %s\n", what, error == 0 ? "not expected" : strerror(error));
  if (link->active) link_end(link);
  link_close(link);
}

void link_lost(struct link* link, const char* what, int error) {
  if (link->client->phase == PHASE_DONE) {
    link_close(link);
  } else {
    link_fail(link, what, error);
  }
}

bool is_transient(int error) { return error == EAGAIN || error == EINTR; }

void link_await(struct link* link, unsigned interest) { events_set(link->client->queue, &link->watch, interest); }

void link_close(struct link* link) {
  if (link->watch.fd < 0) return;
  events_close(&link->watch);
  link->client->retry_due = true;  // the listener may have room now
}

int link_let_go(struct link* link) {
  int fd = link->watch.fd;
  link->watch.fd = -1;
  link->watch.interest = 0;
  link->watch.ready = 0;
  return fd;
}

ptrdiff_t link_receive(struct link* link) {
  return recv(link->watch.fd, link->client->buffer, CLIENT_RECEIVE_CAPACITY, 0);
}

ptrdiff_t link_send(struct link* link, const char* data, size_t length) {
  ptrdiff_t count = send(link->watch.fd, data, length, 0);
  // ENOTCONN: Darwin's word for a connect that is still under way; Linux says EAGAIN
  if (count < 0 && (is_transient(errno) || errno == ENOTCONN)) return 0;
  return count;
}

// What a full queue is called: EAGAIN on Linux, ECONNREFUSED on Darwin. EADDRNOTAVAIL: all local ports are in
// TIME_WAIT for the moment.
static bool may_retry(int error) { return error == EAGAIN || error == ECONNREFUSED || error == EADDRNOTAVAIL; }

// True when done with it, for good or for ill; false if it is to be tried again.
static bool try_connect(struct link* link) {
  int error = net_connect(&link->client->settings->endpoint, &link->watch.fd);
  if (error == 0) {
    link->client->load->on_connect(link);
    return true;
  }
  if (may_retry(error) && clock_ns() - link->started < CONNECT_PATIENCE_NS) return false;
  link_fail(link, "connect", error);
  return true;
}

static void arm_retries(struct client* client) {
  if (client->retry_armed) return;
  client->retry_armed = true;
  timer_arm(client->queue, &client->retry_timer, RETRY_NS);
}

void link_connect(struct link* link) {
  struct client* client = link->client;
  // Who came first is served first.
  if (client->waiting_first == NULL && try_connect(link)) return;
  client->connect_retries++;
  link->next_waiting = NULL;
  if (client->waiting_first == NULL) {
    client->waiting_first = link;
  } else {
    client->waiting_last->next_waiting = link;
  }
  client->waiting_last = link;
  arm_retries(client);
}

void client_retry_waiting(struct client* client) {
  if (!client->retry_due) return;
  client->retry_due = false;
  while (client->waiting_first != NULL) {
    struct link* link = client->waiting_first;
    if (!try_connect(link)) {
      client->connect_retries++;
      arm_retries(client);
      return;
    }
    client->waiting_first = link->next_waiting;
  }
}

static void on_retry(struct timer* timer) {
  struct client* client = (struct client*)((char*)timer - offsetof(struct client, retry_timer));
  client->retry_armed = false;
  client->retry_due = true;
}

void client_open_retries(struct client* client) { timer_open(client->queue, &client->retry_timer, on_retry); }
