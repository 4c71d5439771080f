// Messages on a stream: echoed as they arrive (echo), one by one, like a program that handles each (messages), or
// discarded (sink).
#include <string.h>

#include "server.h"

// Messages answered at once: the peer works on them while the rest is answered. With both ends on one core, answering
// all at once would be faster; on two cores this is.
enum { ANSWERED_BYTES = 4096 };

struct stream {
  struct connection connection;
  size_t sent;  // of a message whose reply the kernel has taken in part
};

static char* answers;

static void prepare(void) { answers = allocate(ANSWERED_BYTES + settings.bytes); }

// The data of one read is sent back in one call.
static size_t echo(struct connection* connection, const char* data, size_t length) {
  ptrdiff_t sent = connection_send(connection, data, length);
  return sent > 0 ? (size_t)sent : 0;
}

static size_t answer(struct connection* connection, const char* data, size_t length) {
  struct stream* stream = (struct stream*)connection;
  const size_t bytes = settings.bytes;
  size_t used = 0;
  // While the next message is complete.
  while (stream->sent + length - used >= bytes) {
    size_t answered = 0;
    size_t message = bytes - stream->sent;
    do {
      memcpy(answers + answered, data + used + answered, message);
      answered += message;
      message = bytes;
    } while (answered + bytes <= ANSWERED_BYTES && used + answered + bytes <= length);
    ptrdiff_t sent = connection_send(connection, answers, answered);
    if (sent <= 0) break;
    used += (size_t)sent;
    stream->sent = (stream->sent + (size_t)sent) % bytes;
    if (connection->waits) break;
  }
  return used;
}

static size_t forget(struct connection* connection, const char* data, size_t length) {
  (void)connection;
  (void)data;
  return length;
}

const struct service service_echo = {.connection_size = sizeof(struct connection), .take = echo};

const struct service service_messages = {.connection_size = sizeof(struct stream), .prepare = prepare, .take = answer};

const struct service service_sink = {.connection_size = sizeof(struct connection), .take = forget};
