// A small HTTP/1.1 reverse proxy in one process, as a front that is there where no nginx is installed (proxy): it gives
// on what comes, piece by piece, over one connection a request or kept ones (--keep-alive). Without --upstream it
// answers by itself: the front alone. It knows what the bench asks for: GET and POST, bodies of a length that is told.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_forward.h"
#include "http_response.h"
#include "report.h"
#include "server.h"
#include "upstream.h"

struct proxy {
  struct upstreams upstreams;
  bool answers;    // by itself
  char* download;  // its answer to GET /download, with its head
  size_t download_length;
  int told_error;  // the last one that stderr was told, as a full queue fails thousands
};

struct proxy_connection {
  struct connection connection;
  struct upstream* upstream;  // that has the request which is served; NULL: none
  struct pending answer;
  char* input;  // came from the client, and its turn has not come
  size_t input_length;
  char* sent_head;  // of a request that may be sent again, on another connection
  size_t sent_head_length;
  char* head;  // the beginning of the response's
  size_t head_length;
  struct http_response response;
  uint64_t body_length;  // of the request
  uint64_t body_left;
  bool busy;  // from a request's head to the end of its response
  bool repeatable;
  bool head_passed;
  bool closing;  // with this answer
};

// One head at a time is rewritten.
static char forwarded[HTTP_HEAD_LIMIT + HTTP_FORWARD_ROOM];

static struct proxy* proxy_of(const struct proxy_connection* http) { return http->connection.server->state; }

static bool is_open(const struct proxy_connection* http) { return http->connection.watch.fd >= 0; }

static bool begins(const char* data, size_t length, const char* with) {
  return length >= strlen(with) && memcmp(data, with, strlen(with)) == 0;
}

static void append(char** data, size_t* length, const char* more, size_t count) {
  char* joined = realloc(*data, *length + count);
  if (joined == NULL) fail("out of memory");
  memcpy(joined + *length, more, count);
  *data = joined;
  *length += count;
}

static void forget(char** data, size_t* length) {
  free(*data);
  *data = NULL;
  *length = 0;
}

static void on_close(struct connection* connection) {
  struct proxy_connection* http = (struct proxy_connection*)connection;
  if (http->upstream != NULL) upstream_close(http->upstream);
  http->upstream = NULL;
  pending_drop(&http->answer);
  http_response_reset(&http->response);
  forget(&http->input, &http->input_length);
  forget(&http->sent_head, &http->sent_head_length);
  forget(&http->head, &http->head_length);
}

// What the client is watched for follows from what is going on.
static void await_client(struct proxy_connection* http) {
  bool waits_for_app = http->upstream != NULL && http->upstream->request.data != NULL;
  bool reads = !http->busy || (http->body_left > 0 && !waits_for_app);
  unsigned interest = (reads ? READABLE : 0u) | (http->answer.data != NULL ? WRITABLE : 0u);
  // A client that waits for its answer says nothing: to take it out of the queue would cost two calls a request.
  if (http->busy && http->body_left == 0 && interest == 0 && http->input == NULL) return;
  connection_await(&http->connection, interest);
}

static bool send_to_client(struct proxy_connection* http, const char* data, size_t length) {
  struct iovec part = {.iov_base = (void*)(uintptr_t)data, .iov_len = length};
  if (pending_send(&http->answer, http->connection.watch.fd, &part, 1)) return true;
  connection_close(&http->connection);
  return false;
}

static bool take_input(struct proxy_connection* http, const char* data, size_t length);

// The response is through: the next request, or the end.
static void finish(struct proxy_connection* http) {
  if (http->answer.data != NULL) {
    await_client(http);
    return;
  }
  if (http->closing) {
    connection_close(&http->connection);
    return;
  }
  http->busy = false;
  char* input = http->input;
  size_t length = http->input_length;
  http->input = NULL;
  http->input_length = 0;
  if (input == NULL || take_input(http, input, length)) await_client(http);
  free(input);
}

static void answer_by_itself(struct proxy_connection* http, const char* status, const char* body) {
  char text[256];
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n%s",
                        status, strlen(body), http->closing ? "close" : "keep-alive", body);
  http->head_passed = true;
  if (send_to_client(http, text, (size_t)length)) finish(http);
}

// The client is told, if there is a way left to tell it.
static void refuse(struct proxy_connection* http, const char* status) {
  if (http->upstream != NULL) upstream_close(http->upstream);
  http->upstream = NULL;
  if (http->head_passed) {
    connection_close(&http->connection);
    return;
  }
  http->closing = true;
  http->body_left = 0;
  answer_by_itself(http, status, "");
}

static void tell_error(struct proxy* proxy, const char* what) {
  if (proxy->told_error == errno) return;
  proxy->told_error = errno;
  fprintf(stderr, "floor: %s upstream: %s\n", what, strerror(errno));
}

static bool open_upstream(struct proxy_connection* http, bool may_reuse) {
  http->upstream = upstream_take(&proxy_of(http)->upstreams, http, may_reuse);
  if (http->upstream != NULL) return true;
  tell_error(proxy_of(http), "connect to the");
  refuse(http, "502 Bad Gateway");
  return false;
}

static bool send_to_app(struct proxy_connection* http, struct iovec* parts, size_t count);

// The application has hung up, or was never there. A kept connection may just have been closed by it: then another one
// is tried, unless the request may have had an effect.
static void upstream_failed(struct proxy_connection* http) {
  bool again = http->upstream->reused && http->repeatable && !http->head_passed && http->head == NULL;
  upstream_close(http->upstream);
  http->upstream = NULL;
  if (!again) {
    refuse(http, "502 Bad Gateway");
    return;
  }
  http_response_reset(&http->response);
  if (!open_upstream(http, false)) return;
  struct iovec head = {.iov_base = http->sent_head, .iov_len = http->sent_head_length};
  send_to_app(http, &head, 1);
}

// False if the connection to the client is done with, or another upstream was needed.
static bool send_to_app(struct proxy_connection* http, struct iovec* parts, size_t count) {
  struct upstream* upstream = http->upstream;
  if (!pending_send(&upstream->request, upstream->watch.fd, parts, count)) {
    tell_error(proxy_of(http), "send to the");
    upstream_failed(http);
    return false;
  }
  upstream_await(upstream, true);
  return true;
}

static void end_response(struct proxy_connection* http) {
  struct upstream* upstream = http->upstream;
  bool keeps = http->connection.server->settings->keep_alive && !http->response.closes;
  if (keeps && http->body_left == 0 && upstream->request.data == NULL) {
    upstream_keep(upstream);
  } else {
    upstream_close(upstream);
  }
  http->upstream = NULL;
  // What is left of the request's body would be taken for the next one.
  if (http->body_left > 0) http->closing = true;
  http->body_left = 0;
  http_response_reset(&http->response);
  finish(http);
}

// Gives on the heads that have come, an interim one before the real one as well. Returns how much of the data is done
// with, or -1 if the response is none.
static ptrdiff_t pass_heads(struct proxy_connection* http, const char* data, size_t length) {
  size_t used = 0;
  while (!http->head_passed) {
    size_t head = http_head_length(data + used, length - used);
    if (head == 0) return (ptrdiff_t)used;
    if (head > HTTP_HEAD_LIMIT) return -1;
    bool interim = head > sizeof "HTTP/1.1 1" && data[used + 9] == '1';
    // Without a length the end of the connection is the end of the body.
    if (!interim && http->response.state == HTTP_UNTIL_END) http->closing = true;
    size_t count = http_forward_response(forwarded, data + used, head, !http->closing);
    if (count == 0) return -1;
    if (!send_to_client(http, forwarded, count)) return (ptrdiff_t)length;
    used += head;
    http->head_passed = !interim;
  }
  return (ptrdiff_t)used;
}

// False if the response is none.
static bool pass_response(struct proxy_connection* http, const char* data, size_t length) {
  http_response_feed(&http->response, data, length);
  if (http->response.state == HTTP_MALFORMED) return false;
  if (!http->head_passed) {
    bool joined = http->head != NULL;
    if (joined) append(&http->head, &http->head_length, data, length);
    const char* all = joined ? http->head : data;
    size_t all_length = joined ? http->head_length : length;
    ptrdiff_t used = pass_heads(http, all, all_length);
    if (used < 0) return false;
    if (!is_open(http)) return true;
    size_t rest = all_length - (size_t)used;
    if (http->head_passed) {
      if (rest > 0) send_to_client(http, all + used, rest);
      if (is_open(http)) forget(&http->head, &http->head_length);
    } else if (!joined) {
      append(&http->head, &http->head_length, data + used, rest);
    } else {
      memmove(http->head, http->head + used, rest);
      http->head_length = rest;
    }
    return true;
  }
  send_to_client(http, data, length);
  return true;
}

static void read_response(struct proxy_connection* http) {
  struct server* server = http->connection.server;
  for (int i = 0; i < SERVER_READS_PER_TURN; i++) {
    struct upstream* upstream = http->upstream;
    ptrdiff_t count = recv(upstream->watch.fd, server->buffer, SERVER_RECEIVE_CAPACITY, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count == 0) http_response_end(&http->response);
    if (count < 0 || (count == 0 && http->response.state != HTTP_COMPLETE)) {
      if (count < 0) tell_error(proxy_of(http), "receive from the");
      upstream_failed(http);
      return;
    }
    if (count > 0 && !pass_response(http, server->buffer, (size_t)count)) {
      refuse(http, "502 Bad Gateway");
      return;
    }
    if (!is_open(http)) return;
    if (http->response.state == HTTP_COMPLETE) {
      end_response(http);
      return;
    }
    if (http->answer.data != NULL) {
      // Nothing more is taken before the client has taken this.
      upstream_await(upstream, false);
      await_client(http);
      return;
    }
    if (count < SERVER_RECEIVE_CAPACITY) return;
  }
}

static void on_upstream_ready(struct watch* watch, unsigned ready) {
  struct upstream* upstream = (struct upstream*)watch;
  struct proxy_connection* http = upstream->client;
  if (ready & WRITABLE) {
    if (!pending_flush(&upstream->request, watch->fd)) {
      tell_error(proxy_of(http), "send to the");
      upstream_failed(http);
      return;
    }
    if (upstream->request.data == NULL) {
      upstream_await(upstream, true);
      await_client(http);
    }
  }
  if (ready & READABLE) read_response(http);
}

// The front alone: the download for its path, the count of what was uploaded, and hello world for all else.
static void answer_alone(struct proxy_connection* http, bool download) {
  struct proxy* proxy = proxy_of(http);
  if (download) {
    if (send_to_client(http, proxy->download, proxy->download_length)) finish(http);
    return;
  }
  char count[32];
  snprintf(count, sizeof count, "%llu\n", (unsigned long long)http->body_length);
  answer_by_itself(http, "200 OK", http->body_length > 0 ? count : "hello world\n");
}

// What it can't do it says; nothing is given on by halves.
static const char* refusal_of(const char* head, size_t length, struct http_fields* fields) {
  if (length > HTTP_HEAD_LIMIT) return "431 Request Header Fields Too Large";
  if (!begins(head, length, "GET ") && !begins(head, length, "POST ")) return "501 Not Implemented";
  if (!http_fields_read(fields, head, length)) return "400 Bad Request";
  return fields->chunked ? "411 Length Required" : NULL;
}

// Takes a head, and of what came behind it as much of the body as there is. Returns how much is done with.
static size_t begin_request(struct proxy_connection* http, const char* head, size_t length, size_t available) {
  struct http_fields fields = {0};
  const char* refusal = refusal_of(head, length, &fields);
  size_t count = refusal != NULL
                     ? 0
                     : http_forward_request(forwarded, head, length, http->connection.server->settings->keep_alive);
  http->busy = true;
  http->head_passed = false;
  if (count == 0) {
    refuse(http, refusal != NULL ? refusal : "400 Bad Request");
    return length;
  }
  const char* end = memchr(head, '\r', length);
  bool http_1_0 = end[-1] == '0';
  http->closing = fields.close || (http_1_0 && !fields.keep_alive);
  size_t body = available - length < fields.length ? available - length : (size_t)fields.length;
  http->body_length = fields.length;
  http->body_left = fields.length - body;
  if (proxy_of(http)->answers) {
    if (http->body_left == 0) answer_alone(http, begins(head, length, "GET /download "));
    return length + body;
  }
  http->repeatable = fields.length == 0;
  forget(&http->sent_head, &http->sent_head_length);
  if (!open_upstream(http, http->connection.server->settings->keep_alive)) return length + body;
  if (http->repeatable && http->upstream->reused) append(&http->sent_head, &http->sent_head_length, forwarded, count);
  struct iovec parts[] = {{.iov_base = forwarded, .iov_len = count},
                          {.iov_base = (void*)(uintptr_t)(head + length), .iov_len = body}};
  send_to_app(http, parts, body > 0 ? 2 : 1);
  return length + body;
}

static void take_body(struct proxy_connection* http, const char* data, size_t length) {
  http->body_left -= length;
  if (proxy_of(http)->answers) {
    if (http->body_left == 0) answer_alone(http, false);
    return;
  }
  struct iovec part = {.iov_base = (void*)(uintptr_t)data, .iov_len = length};
  send_to_app(http, &part, 1);
}

// Takes what can be taken now and keeps the rest. False if the connection is closed.
static bool take_input(struct proxy_connection* http, const char* data, size_t length) {
  size_t used = 0;
  // While a request is under way the next one waits.
  while (used < length && is_open(http) && (!http->busy || http->body_left > 0)) {
    if (http->busy) {
      size_t count = length - used < http->body_left ? length - used : (size_t)http->body_left;
      take_body(http, data + used, count);
      used += count;
      continue;
    }
    size_t head = http_head_length(data + used, length - used);
    if (head == 0 && length - used <= HTTP_HEAD_LIMIT) break;
    used += begin_request(http, data + used, head == 0 ? length - used : head, length - used);
  }
  if (!is_open(http)) return false;
  if (used < length) append(&http->input, &http->input_length, data + used, length - used);
  return true;
}

static bool take_received(struct proxy_connection* http, const char* data, size_t length) {
  if (http->input == NULL) return take_input(http, data, length);
  append(&http->input, &http->input_length, data, length);
  char* joined = http->input;
  size_t joined_length = http->input_length;
  http->input = NULL;
  http->input_length = 0;
  bool open = take_input(http, joined, joined_length);
  free(joined);
  return open;
}

// The client has taken some of what waited for it.
static void flush_answer(struct proxy_connection* http) {
  if (!pending_flush(&http->answer, http->connection.watch.fd)) {
    connection_close(&http->connection);
    return;
  }
  if (http->answer.data != NULL) return;
  if (http->upstream != NULL) {
    upstream_await(http->upstream, true);
    await_client(http);
  } else if (http->busy) {
    finish(http);
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct proxy_connection* http = (struct proxy_connection*)watch;
  if ((ready & WRITABLE) && http->answer.data != NULL) flush_answer(http);
  if (!is_open(http) || !(ready & READABLE)) return;
  // Once: what is left is told again, and what can't be given on is not to be gathered here.
  ptrdiff_t count = connection_receive(&http->connection);
  if (count <= 0) return;
  if (take_received(http, http->connection.server->buffer, (size_t)count)) await_client(http);
}

static char* make_download(size_t bytes, size_t* length) {
  char head[128];
  int head_length = snprintf(
      head, sizeof head,
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n", bytes);
  *length = (size_t)head_length + bytes;
  char* answer = allocate(*length, 1);
  memcpy(answer, head, (size_t)head_length);
  memset(answer + head_length, 'x', bytes);
  return answer;
}

static void prepare(struct server* server) {
  struct proxy* proxy = allocate(1, sizeof *proxy);
  const struct settings* settings = server->settings;
  proxy->answers = !settings->has_upstream;
  proxy->upstreams =
      (struct upstreams){.queue = server->queue, .endpoint = &settings->upstream, .on_ready = on_upstream_ready};
  if (proxy->answers) proxy->download = make_download(settings->bytes, &proxy->download_length);
  server->state = proxy;
}

const struct service service_proxy = {
    .connection_size = sizeof(struct proxy_connection), .prepare = prepare, .on_ready = on_ready, .on_close = on_close};
