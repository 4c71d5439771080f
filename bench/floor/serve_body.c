// GET answered with a body: with bytes that lie in a file or in memory (file, page, http-same), by reference to their
// pages or copied (--copy 1), or with one that is made anew each time (http-body), which can only be copied. As in
// serve_http.c no Date: it is the limit, not a server to use.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http_head.h"
#include "pattern.h"
#include "report.h"
#include "server.h"
#include "sys.h"

enum {
  // The request of our client has a hundred bytes.
  REQUEST_LIMIT = 1024,
  HEAD_LIMIT = 128,
  // What one read of the file takes. Of a larger one a part is often read in vain, as the socket is full by then.
  READ_BYTES = 64 * 1024,
};

// Where the bodies come from.
struct source {
  const char* path;  // opened for each request; NULL: what follows is the body
  char* data;
  int memory;  // a file that has the same
  size_t length;
  bool fresh;  // made anew each time, with its number in front
  uint32_t made;
};

struct body_connection {
  struct connection connection;
  char input[REQUEST_LIMIT];
  size_t input_length;
  bool answering;
  char head[HEAD_LIMIT];  // with the number of a fresh body behind it
  size_t head_length;
  size_t head_sent;
  int file;
  int64_t offset;
  size_t left;
};

static const struct source* source_of(const struct body_connection* body) { return body->connection.server->state; }

static bool copies(const struct body_connection* body) {
  return body->connection.server->settings->copy || source_of(body)->fresh;
}

static void prepare(struct server* server) {
  const struct settings* settings = server->settings;
  struct source* source = allocate(1, sizeof *source);
  server->state = source;
  source->length = settings->bytes;
  if (strcmp(settings->case_name, "file") == 0) {
    source->path = settings->file;
  } else if (strcmp(settings->case_name, "http-body") == 0) {
    source->fresh = true;
    source->data = allocate(settings->bytes, 1);
  } else {
    source->data = pattern_create(settings->bytes);
    source->memory = sys_memory_file(source->data, settings->bytes);
    if (source->memory < 0) die("a file in memory", errno);
  }
}

static void close_file(struct body_connection* body) {
  if (body->answering && source_of(body)->path != NULL) close(body->file);
  body->answering = false;
}

static void on_close(struct connection* connection) { close_file((struct body_connection*)connection); }

// As a file server does it: opened and asked for its length each time.
static void open_file(struct body_connection* body, const char* path) {
  struct stat status;
  body->file = open(path, O_RDONLY | O_CLOEXEC);
  if (body->file < 0 || fstat(body->file, &status) < 0) die(path, errno);
  body->left = (size_t)status.st_size;
}

// One buffer for all: they differ in their numbers only, which stand with the heads.
static void make_body(struct body_connection* body, struct source* source) {
  memset(source->data, 'x', source->length);
  source->made++;
  for (size_t i = 0; i < sizeof source->made; i++) body->head[body->head_length++] = (char)(source->made >> (8 * i));
  body->offset = sizeof source->made;
  body->left -= sizeof source->made;
}

static void begin_answer(struct body_connection* body) {
  struct source* source = body->connection.server->state;
  if (source->path != NULL) {
    open_file(body, source->path);
  } else {
    body->file = source->memory;
    body->left = source->length;
  }
  body->answering = true;
  body->offset = 0;
  body->head_sent = 0;
  body->head_length = (size_t)snprintf(
      body->head, HEAD_LIMIT,
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n",
      body->left);
  if (source->fresh) make_body(body, source);
}

// The part of the body that is sent next, in memory.
static struct iovec next_part(const struct body_connection* body) {
  const struct source* source = source_of(body);
  if (source->path == NULL) return (struct iovec){.iov_base = source->data + body->offset, .iov_len = body->left};
  char* buffer = body->connection.server->buffer;
  size_t wanted = body->left < READ_BYTES ? body->left : READ_BYTES;
  ptrdiff_t count = pread(body->file, buffer, wanted, body->offset);
  if (count < 0) die("pread", errno);
  if (count == 0 && wanted > 0) fail("the file has become shorter");
  return (struct iovec){.iov_base = buffer, .iov_len = (size_t)count};
}

// These two send what is next, and tell in `offered` how much that was.
static ptrdiff_t send_copied(struct body_connection* body, size_t* offered) {
  struct iovec parts[] = {
      {.iov_base = body->head + body->head_sent, .iov_len = body->head_length - body->head_sent},
      next_part(body),
  };
  *offered = parts[0].iov_len + parts[1].iov_len;
  return connection_send_parts(&body->connection, parts, 2);
}

static ptrdiff_t send_referred(struct body_connection* body, size_t* offered) {
  struct connection* connection = &body->connection;
  *offered = body->head_length - body->head_sent;
  if (*offered > 0) {
    return connection_sent(connection, sys_send_more(connection->watch.fd, body->head + body->head_sent, *offered));
  }
  *offered = body->left;
  ptrdiff_t count = sys_send_file(connection->watch.fd, body->file, body->offset, body->left);
  if (count == 0) fail("the file has become shorter");
  return connection_sent(connection, count);
}

static void count_sent(struct body_connection* body, size_t count) {
  size_t head_left = body->head_length - body->head_sent;
  size_t of_head = count < head_left ? count : head_left;
  body->head_sent += of_head;
  body->offset += (int64_t)(count - of_head);
  body->left -= count - of_head;
}

// Sends what is left of the answer. False if the connection is closed or waits for the kernel.
static bool send_on(struct body_connection* body) {
  while (body->head_sent < body->head_length || body->left > 0) {
    size_t offered;
    ptrdiff_t count = copies(body) ? send_copied(body, &offered) : send_referred(body, &offered);
    if (count < 0) return false;
    count_sent(body, (size_t)count);
    // The kernel is full, and another call would only be told so.
    if ((size_t)count < offered) {
      connection_await(&body->connection, WRITABLE);
      return false;
    }
  }
  close_file(body);
  return true;
}

// Answers the requests that have come whole. False if the connection is closed or waits for the kernel.
static bool serve(struct body_connection* body) {
  size_t head;
  while ((head = http_head_length(body->input, body->input_length)) > 0) {
    if (memcmp(body->input, "GET /", 5) != 0) fail("a request that our client does not send");
    body->input_length -= head;
    memmove(body->input, body->input + head, body->input_length);
    begin_answer(body);
    if (!send_on(body)) return false;
  }
  if (body->input_length == REQUEST_LIMIT) fail("a request that is too long");
  return true;
}

static bool receive(struct body_connection* body) {
  ptrdiff_t count = connection_receive(&body->connection);
  if (count <= 0) return false;
  if ((size_t)count > REQUEST_LIMIT - body->input_length) fail("a request that is too long");
  memcpy(body->input + body->input_length, body->connection.server->buffer, (size_t)count);
  body->input_length += (size_t)count;
  return true;
}

static void on_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct body_connection* body = (struct body_connection*)watch;
  if (body->answering) {
    if (send_on(body) && serve(body)) connection_await(&body->connection, READABLE);
    return;
  }
  if (watch->interest == 0 && !copies(body)) connection_enlarge(&body->connection);
  if (receive(body)) serve(body);
}

const struct service service_body = {
    .connection_size = sizeof(struct body_connection), .prepare = prepare, .on_ready = on_ready, .on_close = on_close};
