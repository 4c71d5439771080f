// An HTTP/1.1 server that handles one request of a connection after the other, mostly with responses made in advance.
// Bytes in a file or in memory are sent by reference to their pages, or copied (--copy 1). Case cost may use the uwsgi
// protocol. No Date: it is the limit, not a server for use.
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http.h"
#include "pattern.h"
#include "server.h"

enum {
  HEAD_CAPACITY = 128,
  // The default length of a response: "hello world\n".
  HELLO_BYTES = 12,
  // The size of one read of the file. Part of a larger one is often read in vain, as the socket is full by then.
  READ_BYTES = 64 * 1024,
};

struct http_connection {
  struct connection connection;
  uint64_t request_left;  // remaining body of the request that is being read
  // The response to it.
  bool closes;
  const char* head;  // or the whole response
  size_t head_left;
  size_t left;  // of the file
  int64_t offset;
  int file;
  bool opened;  // the file is open for this response
};

static struct iovec answers[2];  // by whether the connection ends with it; includes the content unless that is a file
static bool refers;              // sends the content, a file, by reference; otherwise reads it
static int memory;               // a file that has the content
static uint32_t number;          // of the content made last

static struct iovec make_answer(const char* body, size_t length, bool closes) {
  char* data = allocate(HEAD_CAPACITY + length);
  int head = snprintf(data, HEAD_CAPACITY,
                      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
                      length, closes ? "close" : "keep-alive");
  size_t whole = (size_t)head;
  if (!refers && settings.content != CONTENT_FILE) {
    memcpy(data + whole, body, length);
    whole += length;
  }
  return (struct iovec){.iov_base = data, .iov_len = whole};
}

static void prepare(void) {
  refers = !settings.copy && settings.content >= CONTENT_FILE;
  size_t length = settings.answer == ANY_LENGTH ? HELLO_BYTES : settings.answer;
  char* body = pattern_create(length);
  if (settings.content != CONTENT_PAGE) memset(body, 'x', length);
  if (settings.content == CONTENT_PAGE && refers) memory = sys_memory_file(body, length);
  for (int closes = 0; closes < 2; closes++) answers[closes] = make_answer(body, length, closes);
  free(body);
}

static void open_http(struct connection* connection) {
  if (refers) net_enlarge(connection->watch.fd);
}

static void close_file(struct connection* connection) {
  struct http_connection* http = (struct http_connection*)connection;
  if (http->opened) close(http->file);
  http->opened = false;
}

// The headers of a request: their length, or 0 if they are incomplete.
static size_t read_head(struct http_connection* http, const char* data, size_t length) {
  http->closes = true;
  if (settings.uwsgi) return uwsgi_head_length(data, length);
  struct http_fields fields;
  size_t head = http_head_read(&fields, data, length);
  if (head == 0) return 0;
  bool right = !fields.malformed && !fields.chunked && (!settings.upload || fields.length == settings.bytes);
  if (!right) errx(EXIT_FAILURE, "a request that is not right");
  http->request_left = fields.length;
  const char* line_end = memchr(data, '\r', head);
  bool http_1_1 = line_end - data >= 8 && memcmp(line_end - 8, "HTTP/1.1", 8) == 0;
  http->closes = fields.close || (!http_1_1 && !fields.keep_alive);
  return head;
}

// Continues to read the data at `*used`. True if a request is complete.
static bool read_request(struct http_connection* http, const char* data, size_t length, size_t* used) {
  if (http->request_left == 0) {
    size_t head = read_head(http, data + *used, length - *used);
    if (head == 0 && length - *used > HTTP_HEAD_LIMIT) errx(EXIT_FAILURE, "a request without an end");
    if (head == 0) return false;
    *used += head;
  }
  size_t body = length - *used < http->request_left ? length - *used : (size_t)http->request_left;
  *used += body;
  http->request_left -= body;
  return http->request_left == 0;
}

// As a file server does: opens it and queries its length each time.
static void open_file(struct http_connection* http) {
  struct stat status;
  http->file = open(settings.file, O_RDONLY | O_CLOEXEC);
  if (http->file < 0 || fstat(http->file, &status) < 0) err(EXIT_FAILURE, "%s", settings.file);
  if ((size_t)status.st_size != settings.bytes) errx(EXIT_FAILURE, "%s: not of --bytes", settings.file);
  http->opened = true;
}

// One buffer for all: they differ only in their numbers, which are in the first bytes that the kernel takes.
static void make_anew(char* body) {
  memset(body, 'x', settings.bytes);
  number++;
  for (size_t i = 0; i < sizeof number; i++) body[i] = (char)(number >> (8 * i));
}

static void begin_answer(struct http_connection* http) {
  const struct iovec* answer = &answers[http->closes];
  http->head = answer->iov_base;
  http->head_left = answer->iov_len;
  if (settings.content == CONTENT_NUMBERED) make_anew((char*)answer->iov_base + answer->iov_len - settings.bytes);
  if (!refers && settings.content != CONTENT_FILE) return;
  http->offset = 0;
  http->left = settings.bytes;
  http->file = memory;
  if (settings.content == CONTENT_FILE) open_file(http);
}

// The next part of the file to send, in memory.
static struct iovec read_part(const struct http_connection* http) {
  static char buffer[READ_BYTES];
  ptrdiff_t count = pread(http->file, buffer, http->left < READ_BYTES ? http->left : READ_BYTES, http->offset);
  if (count <= 0) err(EXIT_FAILURE, "pread");
  return (struct iovec){.iov_base = buffer, .iov_len = (size_t)count};
}

// Sends the next part.
static ptrdiff_t send_next(struct http_connection* http) {
  struct connection* connection = &http->connection;
  int fd = connection->watch.fd;
  if (http->left == 0) return connection_send(connection, http->head, http->head_left);
  if (!refers) {
    struct iovec parts[] = {{.iov_base = (char*)http->head, .iov_len = http->head_left}, read_part(http)};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return connection_moved(connection, sendmsg(fd, &message, 0), http->head_left + parts[1].iov_len);
  }
  if (http->head_left > 0) {
    return connection_moved(connection, sys_send_more(fd, http->head, http->head_left), http->head_left);
  }
  ptrdiff_t count = sys_send_file(fd, http->file, http->offset, http->left);
  if (count == 0) errx(EXIT_FAILURE, "the file has become shorter");
  return connection_moved(connection, count, http->left);
}

// Sends the rest of the response, as far as there is room.
static void send_answer(struct connection* connection) {
  struct http_connection* http = (struct http_connection*)connection;
  while (http->head_left + http->left > 0) {
    ptrdiff_t count = send_next(http);
    if (count < 0) return;
    size_t of_head = (size_t)count < http->head_left ? (size_t)count : http->head_left;
    http->head += of_head;
    http->head_left -= of_head;
    http->offset += (int64_t)((size_t)count - of_head);
    http->left -= (size_t)count - of_head;
    if (connection->waits) return;
  }
  close_file(connection);
  if (http->closes) connection_close(connection);
}

// Responds to all complete requests.
static size_t take(struct connection* connection, const char* data, size_t length) {
  struct http_connection* http = (struct http_connection*)connection;
  size_t used = 0;
  while (connection->watch.fd >= 0 && !connection->waits && read_request(http, data, length, &used)) {
    begin_answer(http);
    send_answer(connection);
  }
  return used;
}

const struct service service_http = {.connection_size = sizeof(struct http_connection),
                                     .prepare = prepare,
                                     .open = open_http,
                                     .take = take,
                                     .flush = send_answer,
                                     .close = close_file};
