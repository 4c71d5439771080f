// The command line.
#ifndef FLOOR_SETTINGS_H
#define FLOOR_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"

enum role { ROLE_SERVE, ROLE_LOAD };

struct settings {
  enum role role;
  const char* case_name;
  struct endpoint endpoint;
  size_t bytes;        // of a message, a write, or a body that is uploaded or downloaded
  size_t window;       // messages outstanding
  size_t connections;  // at once
  size_t idle;         // connections beside these that are open and silent
  size_t body;         // of a hello-world answer
  bool keep_alive;
  bool upload;
  bool copy;         // the bytes are copied where they could be passed by reference
  const char* file;  // that is served
  int64_t measured_ns;
  int64_t warmup_ns;
};

// Ends the program (exit 2) at an unknown word or a value out of range. What is not given is the default of the case.
void settings_parse(struct settings* settings, int count, char** words);

#endif
