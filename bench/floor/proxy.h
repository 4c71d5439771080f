// What the proxy's two sides share: serve_proxy.c has the client and its requests, proxy_upstream.c the application and
// its responses.
#ifndef FLOOR_PROXY_H
#define FLOOR_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_forward.h"
#include "http_response.h"
#include "kept.h"
#include "pending.h"
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
  struct kept input;      // came from the client, and its turn has not come
  struct kept sent_head;  // of a request that may be sent again, on another connection
  struct kept head;       // the beginning of the response's
  struct http_response response;
  uint64_t body_length;  // of the request
  uint64_t body_left;
  bool busy;  // from a request's head to the end of its response
  bool repeatable;
  bool head_passed;
  bool closing;  // with this answer
};

// A head as it is given on.
enum { PROXY_HEAD_CAPACITY = HTTP_HEAD_LIMIT + HTTP_FORWARD_ROOM };

struct proxy* proxy_of(const struct proxy_connection* http);

bool proxy_is_open(const struct proxy_connection* http);

// What the client is watched for follows from what is going on.
void proxy_await_client(struct proxy_connection* http);

// False if the connection was broken, and is closed.
bool proxy_send_to_client(struct proxy_connection* http, const char* data, size_t length);

// The response is through: the next request, or the end.
void proxy_finish(struct proxy_connection* http);

// The client is told, if there is a way left to tell it.
void proxy_refuse(struct proxy_connection* http, const char* status);

// False if there is none to be had: the client has been refused then.
bool proxy_open_upstream(struct proxy_connection* http, bool may_reuse);

// False if the connection to the client is done with, or another upstream was needed.
bool proxy_send_to_app(struct proxy_connection* http, struct iovec* parts, size_t count);

void proxy_on_upstream_ready(struct watch* watch, unsigned ready);

#endif
