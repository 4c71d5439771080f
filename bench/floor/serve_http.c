// An HTTP/1.1 server that answers one request of a connection after the other, mostly with what was made beforehand.
// Bytes that lie in a file or in memory it sends by reference to their pages, or copied (--copy 1). In case cost it may
// be asked by the uwsgi protocol. No Date: it is the limit, not a server to use.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http.h"
#include "pattern.h"
#include "process.h"
#include "server.h"
#include "sys.h"

enum {
  HEAD_LIMIT = 128,
  // What one read of the file takes. Of a larger one a part is often read in vain, as the socket is full by then.
  READ_BYTES = 64 * 1024,
};

struct http_server {
  // Whole answers, with the content by whether the connection ends with it.
  struct iovec made[2];
  struct iovec bad;
  bool refers;      // what the content is sent by
  int memory;       // a file that has the content
  uint32_t number;  // of the last content that was made anew
  char* buffer;     // READ_BYTES bytes
};

struct http_connection {
  struct connection connection;
  char* input;  // the beginning of a request that has not come whole, or what came behind the one that is answered
  size_t input_length;
  uint64_t request_left;  // of the body of the request that is being read
  // The answer to it.
  bool bad;
  bool closes;
  const char* head;  // or the whole answer
  size_t head_left;
  size_t left;  // of the file
  int64_t offset;
  int file;
  bool opened;                // the file, for this answer
  char own_head[HEAD_LIMIT];  // of a file that has another length than the one that is expected
};

static size_t write_head(char* head, const char* status, size_t body, bool closes) {
  int length = snprintf(head, HEAD_LIMIT,
                        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
                        status, body, closes ? "close" : "keep-alive");
  return (size_t)length;
}

static struct iovec make_answer(const char* status, const char* body, size_t length, bool closes) {
  char* data = allocate(HEAD_LIMIT + length, 1);
  size_t head = write_head(data, status, length, closes);
  memcpy(data + head, body, length);
  return (struct iovec){.iov_base = data, .iov_len = head + length};
}

static void prepare(struct server* server) {
  const struct settings* settings = server->settings;
  enum content content = settings->content;
  struct http_server* http = allocate(1, sizeof *http);
  server->state = http;
  http->refers = !settings->copy && (content == CONTENT_FILE || content == CONTENT_PAGE);
  http->buffer = allocate(READ_BYTES, 1);
  size_t length = settings->answer == ANY_LENGTH ? settings->body : settings->answer;
  char* body = pattern_create(length);
  if (content == CONTENT_PAGE) {
    http->memory = sys_memory_file(body, length);
  } else {
    memset(body, 'x', length);
  }
  for (int closes = 0; closes < 2; closes++) http->made[closes] = make_answer("200 OK", body, length, closes);
  http->bad = make_answer("400 Bad Request", "", 0, true);
  free(body);
}

static struct http_server* server_of(const struct http_connection* http) { return http->connection.server->state; }

static const struct settings* settings_of(const struct http_connection* http) {
  return http->connection.server->settings;
}

static void open_http(struct connection* connection) {
  const struct http_server* server = connection->server->state;
  if (server->refers) net_enlarge(connection->watch.fd);
}

static void close_file(struct http_connection* http) {
  if (http->opened) close(http->file);
  http->opened = false;
}

static void close_http(struct connection* connection) {
  struct http_connection* http = (struct http_connection*)connection;
  close_file(http);
  free(http->input);
}

static bool starts_with(const char* data, size_t length, const char* start) {
  return length >= strlen(start) && memcmp(data, start, strlen(start)) == 0;
}

// An upload is right if it has the length that the case names.
static bool is_right(const struct settings* settings, const char* head, size_t length, uint64_t body) {
  if (settings->content == CONTENT_ANY || starts_with(head, length, "GET /")) return true;
  return settings->upload && starts_with(head, length, "POST /") && body == settings->bytes;
}

static void read_head(struct http_connection* http, const char* head, size_t length) {
  const struct settings* settings = settings_of(http);
  struct http_fields fields;
  http->bad = !http_fields_read(&fields, head, length) || fields.chunked;
  if (!http->bad) http->request_left = fields.length;
  if (!is_right(settings, head, length, fields.length)) http->bad = true;
  const char* line_end = memchr(head, '\r', length);
  bool http_1_1 = line_end - head >= 8 && memcmp(line_end - 8, "HTTP/1.1", 8) == 0;
  http->closes = http->bad || fields.close || (!http_1_1 && !fields.keep_alive);
}

// Reads on in the data from `*used`. True if a request has come whole.
static bool read_request(struct http_connection* http, const char* data, size_t length, size_t* used) {
  if (http->request_left == 0) {
    bool uwsgi = settings_of(http)->uwsgi;
    const char* from = data + *used;
    size_t come = length - *used;
    size_t head = uwsgi ? uwsgi_head_length(from, come) : http_head_length(from, come);
    if (head == 0 && (uwsgi || come <= HTTP_HEAD_LIMIT)) return false;
    // Nobody sends a body by uwsgi.
    http->bad = head == 0;
    http->closes = true;
    if (head > 0 && !uwsgi) read_head(http, from, head);
    *used += head;
  }
  size_t body = length - *used < http->request_left ? length - *used : (size_t)http->request_left;
  *used += body;
  http->request_left -= body;
  return http->request_left == 0;
}

// As a file server does it: opened and asked for its length each time.
static void open_file(struct http_connection* http, const char* path) {
  struct stat status;
  http->file = open(path, O_RDONLY | O_CLOEXEC);
  if (http->file < 0 || fstat(http->file, &status) < 0) die(path, errno);
  http->opened = true;
  http->left = (size_t)status.st_size;
}

// One buffer for all: they differ in their numbers only, which the first bytes bring that the kernel takes.
static void make_anew(struct http_server* server, char* body, size_t length) {
  memset(body, 'x', length);
  server->number++;
  for (size_t i = 0; i < sizeof server->number; i++) body[i] = (char)(server->number >> (8 * i));
}

static void begin_answer(struct http_connection* http) {
  struct http_server* server = server_of(http);
  const struct settings* settings = settings_of(http);
  const struct iovec* whole = http->bad ? &server->bad : &server->made[http->closes];
  http->head = whole->iov_base;
  http->head_left = whole->iov_len;
  if (http->bad) return;
  if (settings->content == CONTENT_NUMBERED) {
    make_anew(server, (char*)whole->iov_base + whole->iov_len - settings->bytes, settings->bytes);
  }
  if (!server->refers && settings->content != CONTENT_FILE) return;
  http->offset = 0;
  http->file = server->memory;
  http->left = settings->bytes;
  http->head_left -= settings->bytes;
  if (settings->content == CONTENT_FILE) open_file(http, settings->file);
  if (http->left == settings->bytes) return;
  http->head = http->own_head;
  http->head_left = write_head(http->own_head, "200 OK", http->left, http->closes);
}

// The part of the file that is sent next, in memory.
static struct iovec read_part(const struct http_connection* http) {
  char* buffer = server_of(http)->buffer;
  ptrdiff_t count = pread(http->file, buffer, http->left < READ_BYTES ? http->left : READ_BYTES, http->offset);
  if (count < 0) die("pread", errno);
  if (count == 0) fail("the file has become shorter");
  return (struct iovec){.iov_base = buffer, .iov_len = (size_t)count};
}

// Sends what is next, and tells in `offered` how much that was.
static ptrdiff_t send_next(struct http_connection* http, size_t* offered) {
  struct connection* connection = &http->connection;
  int fd = connection->watch.fd;
  *offered = http->head_left;
  if (http->left == 0) return connection_send(connection, http->head, http->head_left);
  if (!server_of(http)->refers) {
    struct iovec parts[] = {{.iov_base = (char*)http->head, .iov_len = http->head_left}, read_part(http)};
    *offered += parts[1].iov_len;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return connection_moved(connection, sendmsg(fd, &message, 0));
  }
  if (http->head_left > 0) return connection_moved(connection, sys_send_more(fd, http->head, http->head_left));
  *offered = http->left;
  ptrdiff_t count = sys_send_file(fd, http->file, http->offset, http->left);
  if (count == 0) fail("the file has become shorter");
  return connection_moved(connection, count);
}

// Sends what is left of the answer. False if the connection is closed, by its end or an error, or waits for room.
static bool send_answer(struct http_connection* http) {
  while (http->head_left + http->left > 0) {
    size_t offered;
    ptrdiff_t count = send_next(http, &offered);
    if (count < 0) return false;
    size_t of_head = (size_t)count < http->head_left ? (size_t)count : http->head_left;
    http->head += of_head;
    http->head_left -= of_head;
    http->offset += (int64_t)((size_t)count - of_head);
    http->left -= (size_t)count - of_head;
    // The kernel is full, and another call would only be told so.
    if ((size_t)count < offered) {
      connection_await(&http->connection, WRITABLE);
      return false;
    }
  }
  close_file(http);
  if (!http->closes) return true;
  connection_close(&http->connection);
  return false;
}

// Keeps the last `length` bytes of what has come, which stand in the input already if there was one.
static void keep_input(struct http_connection* http, const char* data, size_t length) {
  if (http->input_length < length) http->input = enlarge(http->input, length);
  if (length > 0) memmove(http->input, data, length);
  http->input_length = length;
}

// Answers all whole requests in `data` and keeps the rest. False if the connection is closed or waits for room.
static bool serve(struct http_connection* http, const char* data, size_t length) {
  size_t used = 0;
  bool goes_on = true;
  while (goes_on && read_request(http, data, length, &used)) {
    begin_answer(http);
    goes_on = send_answer(http);
  }
  if (http->connection.watch.fd < 0) return false;
  keep_input(http, data + used, length - used);
  return goes_on;
}

static bool take(struct connection* connection, const char* data, size_t length) {
  struct http_connection* http = (struct http_connection*)connection;
  if (http->input_length == 0) return serve(http, data, length);
  http->input = enlarge(http->input, http->input_length + length);
  memcpy(http->input + http->input_length, data, length);
  http->input_length += length;
  return serve(http, http->input, http->input_length);
}

static bool flush(struct connection* connection) {
  struct http_connection* http = (struct http_connection*)connection;
  if (!send_answer(http)) return false;
  return http->input_length == 0 || serve(http, http->input, http->input_length);
}

const struct service service_http = {.connection_size = sizeof(struct http_connection),
                                     .prepare = prepare,
                                     .open = open_http,
                                     .take = take,
                                     .flush = flush,
                                     .close = close_http};
