// An HTTP/1.1 server with its answers made beforehand (http, http-close, http-body upwards; cost, where it may also be
// asked by the uwsgi protocol, with a connection for each request). No Date: it is the limit, not a server to use.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http_head.h"
#include "report.h"
#include "server.h"
#include "uwsgi_packet.h"

// Answers of one connection that may wait for the kernel; a client that pipelines more is read later.
enum { ANSWERS_LIMIT = 64 };

enum answer_kind { ANSWER_BODY, ANSWER_BODY_CLOSE, ANSWER_OK, ANSWER_OK_CLOSE, ANSWER_BAD, ANSWER_KINDS };

struct answer {
  char* data;
  size_t length;
  bool closes;
};

struct http_connection {
  struct connection connection;
  uint64_t body_left;  // of the request that is being read
  enum answer_kind after_body;
  bool in_body;
  bool closing;  // the last answer is queued; what comes after it is not read
  uint8_t answers[ANSWERS_LIMIT];
  size_t answer_count;
  size_t sent;  // of the first answer
  char* input;  // the beginning of a request that has not come whole
  size_t input_length;
};

static void make_answer(struct answer* answer, const char* status, size_t body, bool closes) {
  char head[256];
  int head_length = snprintf(head, sizeof head,
                             "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: %s\r\n\r\n",
                             status, body, closes ? "close" : "keep-alive");
  answer->length = (size_t)head_length + body;
  answer->data = allocate(answer->length, 1);
  answer->closes = closes;
  memcpy(answer->data, head, (size_t)head_length);
  memset(answer->data + head_length, 'x', body);
}

static void prepare(struct server* server) {
  struct answer* answers = allocate(ANSWER_KINDS, sizeof *answers);
  const struct settings* settings = server->settings;
  bool is_cost = strcmp(settings->case_name, "cost") == 0;
  size_t body = settings->body;
  if (is_cost && settings->answer_known) body = settings->answer;
  make_answer(&answers[ANSWER_BODY], "200 OK", body, false);
  make_answer(&answers[ANSWER_BODY_CLOSE], "200 OK", body, true);
  make_answer(&answers[ANSWER_OK], "200 OK", 2, false);
  make_answer(&answers[ANSWER_OK_CLOSE], "200 OK", 2, true);
  memcpy(answers[ANSWER_OK].data + answers[ANSWER_OK].length - 2, "ok", 2);
  memcpy(answers[ANSWER_OK_CLOSE].data + answers[ANSWER_OK_CLOSE].length - 2, "ok", 2);
  make_answer(&answers[ANSWER_BAD], "400 Bad Request", 0, true);
  server->state = answers;
}

static const struct answer* answer_of(const struct http_connection* http, size_t index) {
  const struct answer* answers = http->connection.server->state;
  return &answers[http->answers[index]];
}

static void on_close(struct connection* connection) { free(((struct http_connection*)connection)->input); }

static void queue_answer(struct http_connection* http, enum answer_kind kind) {
  http->answers[http->answer_count++] = (uint8_t)kind;
  if (answer_of(http, http->answer_count - 1)->closes) http->closing = true;
}

static bool starts_with(const char* data, size_t length, const char* start) {
  return length >= strlen(start) && memcmp(data, start, strlen(start)) == 0;
}

// An upload is right if it has the length that the case names.
static enum answer_kind choose_answer(const struct http_connection* http, const char* head, size_t length,
                                      const struct http_fields* fields) {
  const struct settings* settings = http->connection.server->settings;
  const char* line_end = memchr(head, '\r', length);
  bool http_1_1 = line_end - head >= 8 && memcmp(line_end - 8, "HTTP/1.1", 8) == 0;
  bool closes = fields->close || (!http_1_1 && !fields->keep_alive);
  bool any = strcmp(settings->case_name, "cost") == 0;
  if (any || starts_with(head, length, "GET /")) return closes ? ANSWER_BODY_CLOSE : ANSWER_BODY;
  bool upload = settings->upload && starts_with(head, length, "POST /") && fields->length == settings->bytes;
  if (!upload) return ANSWER_BAD;
  return closes ? ANSWER_OK_CLOSE : ANSWER_OK;
}

static void begin_packet(struct http_connection* http, const char* head, size_t length) {
  if (!uwsgi_body_length(head, length, &http->body_left)) {
    queue_answer(http, ANSWER_BAD);
    return;
  }
  http->after_body = ANSWER_BODY_CLOSE;
  http->in_body = true;
}

static void begin_request(struct http_connection* http, const char* head, size_t length) {
  if (http->connection.server->settings->uwsgi) {
    begin_packet(http, head, length);
    return;
  }
  struct http_fields fields;
  if (!http_fields_read(&fields, head, length) || fields.chunked) {
    queue_answer(http, ANSWER_BAD);
    return;
  }
  http->after_body = choose_answer(http, head, length, &fields);
  http->body_left = fields.length;
  http->in_body = true;
}

// Reads requests and queues their answers; returns how much of the data is done with.
static size_t parse(struct http_connection* http, const char* data, size_t length) {
  size_t used = 0;
  while (http->answer_count < ANSWERS_LIMIT && !http->closing) {
    if (!http->in_body) {
      bool uwsgi = http->connection.server->settings->uwsgi;
      size_t head =
          uwsgi ? uwsgi_head_length(data + used, length - used) : http_head_length(data + used, length - used);
      if (head == 0) {
        if (!uwsgi && length - used > HTTP_HEAD_LIMIT) queue_answer(http, ANSWER_BAD);
        return used;
      }
      begin_request(http, data + used, head);
      used += head;
    }
    if (!http->in_body) continue;
    size_t taken = length - used < http->body_left ? length - used : (size_t)http->body_left;
    used += taken;
    http->body_left -= taken;
    if (http->body_left > 0) return used;
    http->in_body = false;
    queue_answer(http, http->after_body);
  }
  return used;
}

static ptrdiff_t send_answers(struct http_connection* http) {
  const struct answer* first = answer_of(http, 0);
  if (http->answer_count == 1) {
    return connection_send(&http->connection, first->data + http->sent, first->length - http->sent);
  }
  struct iovec parts[ANSWERS_LIMIT];
  for (size_t i = 0; i < http->answer_count; i++) {
    const struct answer* answer = answer_of(http, i);
    size_t skipped = i == 0 ? http->sent : 0;
    parts[i] = (struct iovec){.iov_base = answer->data + skipped, .iov_len = answer->length - skipped};
  }
  return connection_send_parts(&http->connection, parts, http->answer_count);
}

// Strikes out the answers that have gone whole.
static void count_sent(struct http_connection* http, size_t count) {
  size_t done = 0;
  for (http->sent += count; done < http->answer_count; done++) {
    size_t length = answer_of(http, done)->length;
    if (http->sent < length) break;
    http->sent -= length;
  }
  http->answer_count -= done;
  memmove(http->answers, http->answers + done, http->answer_count);
}

// Sends what is queued. False if the connection is closed, by the last answer or by an error, or the kernel is full.
static bool flush(struct http_connection* http) {
  ptrdiff_t count = send_answers(http);
  if (count < 0) return false;
  count_sent(http, (size_t)count);
  if (http->answer_count > 0) {
    connection_await(&http->connection, WRITABLE);
    return false;
  }
  if (!http->closing) return true;
  connection_close(&http->connection);
  return false;
}

// Replaces the input that is kept by the last `length` bytes of `data`, which may be that very input.
static void keep_input(struct http_connection* http, const char* data, size_t length) {
  char* kept = NULL;
  if (length > 0) {
    kept = allocate(length, 1);
    memcpy(kept, data, length);
  }
  free(http->input);
  http->input = kept;
  http->input_length = length;
}

// Answers all whole requests in `data` and keeps the rest. False if the connection is closed or waits for the kernel.
static bool serve(struct http_connection* http, const char* data, size_t length) {
  size_t used = 0;
  do {
    used += parse(http, data + used, length - used);
    if (http->answer_count == 0) break;
    if (!flush(http)) {
      bool open = http->connection.watch.fd >= 0;
      if (open) keep_input(http, data + used, length - used);
      return false;
    }
  } while (used < length);
  if (http->input != NULL || used < length) keep_input(http, data + used, length - used);
  return true;
}

static bool serve_received(struct http_connection* http, const char* data, size_t length) {
  if (http->input == NULL) return serve(http, data, length);
  char* joined = realloc(http->input, http->input_length + length);
  if (joined == NULL) fail("out of memory");
  memcpy(joined + http->input_length, data, length);
  http->input = joined;
  http->input_length += length;
  return serve(http, joined, http->input_length);
}

static void on_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct http_connection* http = (struct http_connection*)watch;
  if (http->answer_count > 0) {
    if (!flush(http)) return;
    if (http->input != NULL && !serve(http, http->input, http->input_length)) return;
    connection_await(&http->connection, READABLE);
    return;
  }
  for (int i = 0; i < SERVER_READS_PER_TURN; i++) {
    ptrdiff_t received = connection_receive(&http->connection);
    if (received <= 0) return;
    if (!serve_received(http, http->connection.server->buffer, (size_t)received)) return;
    if (received < SERVER_RECEIVE_CAPACITY) return;
  }
}

const struct service service_http = {
    .connection_size = sizeof(struct http_connection), .prepare = prepare, .on_ready = on_ready, .on_close = on_close};
