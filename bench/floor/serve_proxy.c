// A small HTTP/1.1 reverse proxy in one process, as a front that is there where no nginx is installed (proxy): it gives
// on what comes, piece by piece, over one connection a request or kept ones (--keep-alive). Without --upstream it
// answers by itself: the front alone. It knows what the bench asks for: GET and POST, bodies of a length that is told.
#include <stdio.h>
#include <string.h>

#include "proxy.h"
#include "report.h"

// One head at a time is rewritten.
static char forwarded[PROXY_HEAD_CAPACITY];

struct proxy* proxy_of(const struct proxy_connection* http) {
  return http->connection.server->state;
}

bool proxy_is_open(const struct proxy_connection* http) { return http->connection.watch.fd >= 0; }

static bool begins(const char* data, size_t length, const char* with) {
  return length >= strlen(with) && memcmp(data, with, strlen(with)) == 0;
}

static void on_close(struct connection* connection) {
  struct proxy_connection* http = (struct proxy_connection*)connection;
  if (http->upstream != NULL) upstream_close(http->upstream);
  http->upstream = NULL;
  pending_drop(&http->answer);
  http_response_reset(&http->response);
  kept_drop(&http->input);
  kept_drop(&http->sent_head);
  kept_drop(&http->head);
}

void proxy_await_client(struct proxy_connection* http) {
  bool waits_for_app = http->upstream != NULL && http->upstream->request.data != NULL;
  bool reads = !http->busy || (http->body_left > 0 && !waits_for_app);
  unsigned interest = (reads ? READABLE : 0u) | (http->answer.data != NULL ? WRITABLE : 0u);
  // A client that waits for its answer says nothing: to take it out of the queue would cost two calls a request.
  if (http->busy && http->body_left == 0 && interest == 0 && http->input.data == NULL) return;
  connection_await(&http->connection, interest);
}

bool proxy_send_to_client(struct proxy_connection* http, const char* data, size_t length) {
  struct iovec part = {.iov_base = (void*)(uintptr_t)data, .iov_len = length};
  if (pending_send(&http->answer, http->connection.watch.fd, &part, 1)) return true;
  connection_close(&http->connection);
  return false;
}

static bool take_input(struct proxy_connection* http, const char* data, size_t length);

void proxy_finish(struct proxy_connection* http) {
  if (http->answer.data != NULL) {
    proxy_await_client(http);
    return;
  }
  if (http->closing) {
    connection_close(&http->connection);
    return;
  }
  http->busy = false;
  struct kept input = http->input;
  http->input = (struct kept){0};
  if (input.data == NULL || take_input(http, input.data, input.length)) proxy_await_client(http);
  kept_drop(&input);
}

static void answer_by_itself(struct proxy_connection* http, const char* status, const char* body) {
  char text[256];
  int length = snprintf(text, sizeof text,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n%s",
                        status, strlen(body), http->closing ? "close" : "keep-alive", body);
  http->head_passed = true;
  if (proxy_send_to_client(http, text, (size_t)length)) proxy_finish(http);
}

void proxy_refuse(struct proxy_connection* http, const char* status) {
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

// The front alone: the download for its path, the count of what was uploaded, and hello world for all else.
static void answer_alone(struct proxy_connection* http, bool download) {
  struct proxy* proxy = proxy_of(http);
  if (download) {
    if (proxy_send_to_client(http, proxy->download, proxy->download_length)) proxy_finish(http);
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
    proxy_refuse(http, refusal != NULL ? refusal : "400 Bad Request");
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
  kept_drop(&http->sent_head);
  if (!proxy_open_upstream(http, http->connection.server->settings->keep_alive)) return length + body;
  if (http->repeatable && http->upstream->reused) kept_append(&http->sent_head, forwarded, count);
  struct iovec parts[] = {{.iov_base = forwarded, .iov_len = count},
                          {.iov_base = (void*)(uintptr_t)(head + length), .iov_len = body}};
  proxy_send_to_app(http, parts, body > 0 ? 2 : 1);
  return length + body;
}

static void take_body(struct proxy_connection* http, const char* data, size_t length) {
  http->body_left -= length;
  if (proxy_of(http)->answers) {
    if (http->body_left == 0) answer_alone(http, false);
    return;
  }
  struct iovec part = {.iov_base = (void*)(uintptr_t)data, .iov_len = length};
  proxy_send_to_app(http, &part, 1);
}

// Takes what can be taken now and keeps the rest. False if the connection is closed.
static bool take_input(struct proxy_connection* http, const char* data, size_t length) {
  size_t used = 0;
  // While a request is under way the next one waits.
  while (used < length && proxy_is_open(http) && (!http->busy || http->body_left > 0)) {
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
  if (!proxy_is_open(http)) return false;
  if (used < length) kept_append(&http->input, data + used, length - used);
  return true;
}

static bool take_received(struct proxy_connection* http, const char* data, size_t length) {
  if (http->input.data == NULL) return take_input(http, data, length);
  kept_append(&http->input, data, length);
  struct kept joined = http->input;
  http->input = (struct kept){0};
  bool open = take_input(http, joined.data, joined.length);
  kept_drop(&joined);
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
    proxy_await_client(http);
  } else if (http->busy) {
    proxy_finish(http);
  }
}

static void on_ready(struct watch* watch, unsigned ready) {
  struct proxy_connection* http = (struct proxy_connection*)watch;
  if ((ready & WRITABLE) && http->answer.data != NULL) flush_answer(http);
  if (!proxy_is_open(http) || !(ready & READABLE)) return;
  // Once: what is left is told again, and what can't be given on is not to be gathered here.
  ptrdiff_t count = connection_receive(&http->connection);
  if (count <= 0) return;
  if (take_received(http, http->connection.server->buffer, (size_t)count)) proxy_await_client(http);
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
      (struct upstreams){.queue = server->queue, .endpoint = &settings->upstream, .on_ready = proxy_on_upstream_ready};
  if (proxy->answers) proxy->download = make_download(settings->bytes, &proxy->download_length);
  server->state = proxy;
}

const struct service service_proxy = {
    .connection_size = sizeof(struct proxy_connection), .prepare = prepare, .on_ready = on_ready, .on_close = on_close};
