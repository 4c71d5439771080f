// The proxy's side of the application: its connections, and its responses, which are given on as they come.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "proxy.h"

// One head at a time is rewritten.
static char forwarded[PROXY_HEAD_CAPACITY];

static void tell_error(struct proxy* proxy, const char* what) {
  if (proxy->told_error == errno) return;
  proxy->told_error = errno;
  fprintf(stderr, "floor: %s upstream: %s\n", what, strerror(errno));
}

bool proxy_open_upstream(struct proxy_connection* http, bool may_reuse) {
  http->upstream = upstream_take(&proxy_of(http)->upstreams, http, may_reuse);
  if (http->upstream != NULL) return true;
  tell_error(proxy_of(http), "connect to the");
  proxy_refuse(http, "502 Bad Gateway");
  return false;
}

// The application has hung up, or was never there. A kept connection may just have been closed by it: then another one
// is tried, unless the request may have had an effect.
static void upstream_failed(struct proxy_connection* http) {
  bool again = http->upstream->reused && http->repeatable && !http->head_passed && http->head.data == NULL;
  upstream_close(http->upstream);
  http->upstream = NULL;
  if (!again) {
    proxy_refuse(http, "502 Bad Gateway");
    return;
  }
  http_response_reset(&http->response);
  if (!proxy_open_upstream(http, false)) return;
  struct iovec head = {.iov_base = http->sent_head.data, .iov_len = http->sent_head.length};
  proxy_send_to_app(http, &head, 1);
}

bool proxy_send_to_app(struct proxy_connection* http, struct iovec* parts, size_t count) {
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
  proxy_finish(http);
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
    if (!proxy_send_to_client(http, forwarded, count)) return (ptrdiff_t)length;
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
    bool joined = http->head.data != NULL;
    if (joined) kept_append(&http->head, data, length);
    const char* all = joined ? http->head.data : data;
    size_t all_length = joined ? http->head.length : length;
    ptrdiff_t used = pass_heads(http, all, all_length);
    if (used < 0) return false;
    if (!proxy_is_open(http)) return true;
    size_t rest = all_length - (size_t)used;
    if (http->head_passed) {
      if (rest > 0) proxy_send_to_client(http, all + used, rest);
      if (proxy_is_open(http)) kept_drop(&http->head);
    } else if (joined) {
      kept_skip(&http->head, (size_t)used);
    } else {
      kept_append(&http->head, data + used, rest);
    }
    return true;
  }
  proxy_send_to_client(http, data, length);
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
      proxy_refuse(http, "502 Bad Gateway");
      return;
    }
    if (!proxy_is_open(http)) return;
    if (http->response.state == HTTP_COMPLETE) {
      end_response(http);
      return;
    }
    if (http->answer.data != NULL) {
      // Nothing more is taken before the client has taken this.
      upstream_await(upstream, false);
      proxy_await_client(http);
      return;
    }
    if (count < SERVER_RECEIVE_CAPACITY) return;
  }
}

void proxy_on_upstream_ready(struct watch* watch, unsigned ready) {
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
      proxy_await_client(http);
    }
  }
  if (ready & READABLE) read_response(http);
}
