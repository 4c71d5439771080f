// The floor: the bench's work in plain C, which is the limit of the host, and the bench's load generator.
//
//   floor serve|load --case CASE --family unix|tcp --address ADDRESS [--NAME VALUE]...    (see settings.c)
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "server.h"

int main(int count, char** words) {
  bool loads = count > 1 && strcmp(words[1], "load") == 0;
  if (!loads && (count < 2 || strcmp(words[1], "serve") != 0)) errx(EXIT_FAILURE, "a role is missing: serve or load");
  settings_parse(words + 2);
  // Writing to a closed connection returns an error instead.
  signal(SIGPIPE, SIG_IGN);
  events_open();
  control_open();
  if (loads) client_run();
  server_run();
}
