// The links of a client: connecting, sending and receiving, counting, closing.
#include <errno.h>
#include <sys/socket.h>

#include "client.h"
#include "net.h"
#include "process.h"

// A full queue of a UNIX listener answers EAGAIN at once, and no event tells when there is room again.
static const int64_t RETRY_NS = 1000000;
// How long one connect may be tried again.
static const int64_t CONNECT_PATIENCE_NS = 5 * INT64_C(1000000000);

struct link* client_link(struct client* client, size_t index) {
  return (struct link*)(client->links + index * client->link_size);
}

void link_begin(struct link* link, int64_t now) {
  link->active = true;
  link->started = now;
  link->client->outstanding++;
}

void link_start(struct link* link, int64_t now) {
  link_begin(link, now);
  if (link->watch.fd < 0) {
    link_connect(link);
  } else {
    link->client->load->send(link);
  }
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

// ENOTCONN: Darwin's word for a connect that is still under way; Linux says EAGAIN.
bool is_transient(int error) { return error == EAGAIN || error == EINTR || error == ENOTCONN; }

void link_await(struct link* link, unsigned interest) { events_set(link->client->queue, &link->watch, interest); }

void link_close(struct link* link) {
  if (link->watch.fd >= 0) events_close(&link->watch);
}

size_t link_sent(struct link* link, ptrdiff_t count) {
  if (count < 0 && is_transient(errno)) return 0;
  if (count < 0) die("send", errno);
  link->sent += (size_t)count;
  return (size_t)count;
}

size_t link_send_on(struct link* link, const char* data, size_t length) {
  return link_sent(link, send(link->watch.fd, data, length, 0));
}

// One read: what is longer than the buffer goes on with the next turn.
static void receive(struct link* link) {
  const struct load* load = link->client->load;
  ptrdiff_t count = recv(link->watch.fd, link->client->buffer, CLIENT_RECEIVE_CAPACITY, 0);
  if (count < 0 && is_transient(errno)) return;
  if (count > 0 && load->take == NULL) fail("bytes came back, where nothing but the end was to come");
  if (count > 0) {
    load->take(link, (size_t)count);
  } else if (load->on_end != NULL) {
    load->on_end(link, count == 0 ? 0 : errno);
  } else if (link->client->phase == PHASE_REST) {
    link_close(link);
  } else {
    die("a connection was lost", count == 0 ? ECONNRESET : errno);
  }
}

// What there is to read comes first: a server that refuses a body answers, and then resets.
void link_on_ready(struct watch* watch, unsigned ready) {
  struct link* link = (struct link*)watch;
  if (ready & READABLE) receive(link);
  // What has come may have ended the operation, and with it the wait for room.
  if (ready & watch->interest & WRITABLE) link->client->load->send(link);
}

// What a full queue is called: EAGAIN on Linux, ECONNREFUSED on Darwin. EADDRNOTAVAIL: all local ports are in
// TIME_WAIT for the moment.
static bool may_retry(int error) { return error == EAGAIN || error == ECONNREFUSED || error == EADDRNOTAVAIL; }

// False if it is to be tried again.
static bool try_connect(struct link* link) {
  int error = net_connect(&link->client->settings->endpoint, &link->watch.fd);
  if (error == 0) {
    link->client->load->send(link);
    return true;
  }
  if (!may_retry(error) || clock_ns() - link->started >= CONNECT_PATIENCE_NS) die("connect", error);
  return false;
}

void link_connect(struct link* link) {
  struct client* client = link->client;
  // Who came first is served first.
  if (client->waiting == NULL) {
    if (try_connect(link)) return;
    client->waiting_end = &client->waiting;
    timer_arm(client->queue, &client->retry_timer, RETRY_NS);
  }
  link->next_waiting = NULL;
  *client->waiting_end = link;
  client->waiting_end = &link->next_waiting;
}

void client_retry(struct timer* timer) {
  struct client* client = OWNER_OF(timer, struct client, retry_timer);
  while (client->waiting != NULL && try_connect(client->waiting)) client->waiting = client->waiting->next_waiting;
  if (client->waiting != NULL) timer_arm(client->queue, timer, RETRY_NS);
}
