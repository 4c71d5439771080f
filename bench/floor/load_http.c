// HTTP/1.1 requests, one outstanding on each link: over kept connections (http, http-body, http-same, file, page) or a
// connection each (http-close).
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "http_response.h"
#include "pattern.h"
#include "process.h"
#include "report.h"

struct request {
  char* data;
  size_t length;
  uint64_t answer_body;  // what the answer must bring
  const char* expected;  // the bytes of it, where they are compared; else NULL
  bool numbered;         // each answer is another one, and begins with a number higher than the last
};

struct http_link {
  struct link link;
  struct http_response response;
  size_t sent;    // of the request
  uint32_t last;  // number of an answer
  bool compared;  // a whole body of this link has been compared
  bool used;      // the connection has brought an answer before
  bool had_one;   // the link has been connected before
};

struct http_load {
  struct request request;
  int answer_status;  // what the answer must have; 0: not known before the first one
};

static struct http_load* load_of(const struct http_link* http) { return http->link.client->state; }

static void make_request(struct request* request, const struct settings* settings) {
  static const char* const known_bodies[] = {"file", "page", "http-same"};
  bool known = false;
  for (size_t i = 0; i < sizeof known_bodies / sizeof known_bodies[0]; i++) {
    if (strcmp(settings->case_name, known_bodies[i]) == 0) known = true;
  }
  bool bodies = known || strcmp(settings->case_name, "http-body") == 0;
  bool upload = bodies && settings->upload;
  size_t body = upload ? settings->bytes : 0;
  char length[64] = "";
  if (upload) snprintf(length, sizeof length, "Content-Length: %zu\r\n", body);
  char head[COST_PATH_LIMIT + 256];
  int head_length =
      snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n", upload ? "POST" : "GET",
               known ? "/body" : settings->path, length, settings->keep_alive ? "" : "Connection: close\r\n");
  request->length = (size_t)head_length + body;
  request->data = allocate(request->length, 1);
  memcpy(request->data, head, (size_t)head_length);
  if (upload) {
    char* pattern = pattern_create(body);
    memcpy(request->data + head_length, pattern, body);
    free(pattern);
  }
  request->answer_body = upload ? 2 : bodies ? settings->bytes : settings->body;
  if (known) request->expected = pattern_create(settings->bytes);
  request->numbered = bodies && !known && !upload;
}

static void prepare(struct client* client) {
  struct http_load* load = allocate(1, sizeof *load);
  make_request(&load->request, client->settings);
  load->answer_status = client->settings->any_answer ? 0 : 200;
  client->state = load;
}

static void on_end(struct http_link* http, int error);

static void send_request(struct link* link) {
  struct http_link* http = (struct http_link*)link;
  const struct request* request = &load_of(http)->request;
  ptrdiff_t count = link_send(link, request->data + http->sent, request->length - http->sent);
  if (count < 0) {
    on_end(http, errno);
    return;
  }
  http->sent += (size_t)count;
  link_await(link, http->sent < request->length ? READABLE | WRITABLE : READABLE);
}

static void connect_anew(struct http_link* http) {
  struct client* client = http->link.client;
  if (client->settings->keep_alive && http->had_one) client->reconnects++;
  http->had_one = true;
  http->used = false;
  http->sent = 0;
  link_connect(&http->link);
}

static void begin_request(struct http_link* http, int64_t started) {
  const struct request* request = &load_of(http)->request;
  http_response_reset(&http->response);
  if (request->expected != NULL) {
    http->response.expected = request->expected;
    http->response.expected_length = request->answer_body;
    http->response.compares_all = !http->compared;
  }
  http->sent = 0;
  link_begin(&http->link, started);
  if (http->link.watch.fd < 0) {
    connect_anew(http);
  } else {
    send_request(&http->link);
  }
}

static void begin(struct client* client) {
  for (size_t i = 0; i < client->settings->connections; i++) {
    begin_request((struct http_link*)client_link(client, i), clock_ns());
  }
}

// The answer is there, and for a connection of its own its end too.
static void finish(struct http_link* http) {
  struct http_load* load = load_of(http);
  struct request* request = &load->request;
  const struct http_response* response = &http->response;
  if (load->answer_status == 0) {
    load->answer_status = response->status;
    request->answer_body = response->body;
  }
  if (response->status != load->answer_status || response->body != request->answer_body ||
      http->sent < request->length) {
    char what[160];
    snprintf(what, sizeof what,
             "an answer with status %d and a body of %" PRIu64 " bytes, where %d and %" PRIu64 " were due",
             response->status, response->body, load->answer_status, request->answer_body);
    link_fail(&http->link, what, 0);
    return;
  }
  if (request->numbered && response->number <= http->last) {
    link_fail(&http->link, "a body that has been sent before", 0);
    return;
  }
  http->last = response->number;
  http->used = true;
  http->compared = true;
  if (response->closes) link_close(&http->link);
  int64_t now = clock_ns();
  link_complete(&http->link, now);
  if (now < http->link.client->deadline) begin_request(http, now);
}

// The server has closed, or the connection broke (`error`).
static void on_end(struct http_link* http, int error) {
  struct link* link = &http->link;
  if (!link->active) {
    link_close(link);  // a kept connection that was idle too long for the server
    return;
  }
  if (error == 0) http_response_end(&http->response);
  if (error == 0 && http->response.state == HTTP_COMPLETE) {
    finish(http);
  } else if (http->used && !http->response.begun) {
    link_close(link);  // the server closed it just when the request went out
    connect_anew(http);
  } else {
    link_fail(&http->link, "the connection ended before the answer", error == 0 ? ECONNRESET : error);
  }
}

static void take(struct http_link* http, size_t count) {
  struct link* link = &http->link;
  if (!link->active) {
    link_fail(&http->link, "an answer that nobody asked for", 0);
    return;
  }
  http_response_feed(&http->response, link->client->buffer, count);
  if (http->response.state == HTTP_MALFORMED) {
    link_fail(&http->link, http->response.differs ? "a body that is not what was asked for" : "a malformed answer", 0);
  } else if (http->response.state == HTTP_COMPLETE && link->client->settings->keep_alive) {
    finish(http);  // without keep-alive, the end of the connection belongs to it
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct http_link* http = (struct http_link*)watch;
  struct link* link = &http->link;
  if (ready & WRITABLE) send_request(link);
  if (link->watch.fd < 0 || !(ready & READABLE)) return;
  ptrdiff_t count = link_receive(link);
  if (count > 0) {
    take(http, (size_t)count);
  } else if (count == 0 || !is_transient(errno)) {
    on_end(http, count == 0 ? 0 : errno);
  }
}

const struct load load_http = {
    .link_size = sizeof(struct http_link),
    .has_latency = true,
    .has_connects = true,
    .prepare = prepare,
    .begin = begin,
    .on_connect = send_request,
    .on_ready = on_ready,
};
