// A client's links: connecting, sending and receiving, counting, closing.
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

// A full queue of a UNIX listener returns EAGAIN at once (ECONNREFUSED on Darwin), and no event reports when there is
// room again. EADDRNOTAVAIL: all local ports are in TIME_WAIT at the moment.
enum { RETRY_US = 1000, RETRIES = 5000 };

void link_begin(struct link* link, int64_t now) {
  link->active = true;
  link->started = now;
  client.outstanding++;
}

void link_start(struct link* link, int64_t now) {
  link_begin(link, now);
  link->until = link->sent + settings.window * settings.bytes;
  link_send(link);
}

void link_send(struct link* link) {
  if (link->watch.fd < 0) {
    link_connect(link);
  } else {
    client.load->send(link);
  }
}

void link_end(struct link* link) {
  link->active = false;
  client.outstanding--;
}

void link_complete(struct link* link, int64_t now) {
  link_end(link);
  client.operations++;
  histogram_record(&client.latency, now - link->started);
}

// ENOTCONN: Darwin's error for a connect that is still in progress; Linux has EAGAIN.
bool is_transient(int error) { return error == EAGAIN || error == EINTR || error == ENOTCONN; }

void link_close(struct link* link) {
  if (link->watch.fd >= 0) events_close(&link->watch);
}

size_t link_sent(struct link* link, ptrdiff_t count) {
  if (count < 0 && is_transient(errno)) return 0;
  if (count < 0) err(EXIT_FAILURE, "send");
  link->sent += (size_t)count;
  return (size_t)count;
}

// One read: data beyond its buffer is read in the next iteration.
static void receive(struct link* link) {
  const struct load* load = client.load;
  const char* data;
  size_t kept = link->input.length;
  ptrdiff_t count = input_read(&link->input, link->watch.fd, &data);
  int error = count == 0 ? 0 : errno;
  if (count < 0 && is_transient(error)) return;
  if (count > 0) {
    if (load->take == NULL) errx(EXIT_FAILURE, "bytes came back, where nothing but the end was to come");
    size_t length = kept + (size_t)count;
    size_t used = load->take(link, data, length);
    if (kept > 0 || used < length) input_keep(&link->input, data + used, length - used);
  } else if (load->on_end != NULL) {
    load->on_end(link, error);
  } else if (client.phase == PHASE_REST) {
    link_close(link);
  } else {
    errx(EXIT_FAILURE, "a connection was lost: %s", strerror(error == 0 ? ECONNRESET : error));
  }
}

// Reading comes first: a server that rejects a body responds, and then resets.
void link_on_ready(struct watch* watch, unsigned ready) {
  struct link* link = (struct link*)watch;
  if (ready & READABLE) receive(link);
  // Received data may have ended the operation, and thereby the wait for room.
  if (ready & watch->interest & WRITABLE) client.load->send(link);
}

int link_try_connect(struct link* link) {
  link->input.length = 0;
  int error = net_connect(&link->watch.fd);
  if (error == 0) client.load->send(link);
  return error;
}

void link_connect(struct link* link) {
  int error;
  for (int i = 0; (error = link_try_connect(link)) != 0; i++) {
    bool passes = error == EAGAIN || error == ECONNREFUSED || error == EADDRNOTAVAIL;
    if (!passes || i == RETRIES) errx(EXIT_FAILURE, "connect: %s", strerror(error));
    usleep(RETRY_US);
  }
}
