// Reads and forgets (bulk).
#include "server.h"

static void on_ready(struct watch* watch, unsigned ready) {
  (void)ready;
  struct connection* connection = (struct connection*)watch;
  for (int i = 0; i < SERVER_READS_PER_TURN; i++) {
    if (connection_receive(connection) < SERVER_RECEIVE_CAPACITY) return;
  }
}

const struct service service_sink = {.connection_size = sizeof(struct connection), .on_ready = on_ready};
