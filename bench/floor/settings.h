// The command line.
#ifndef FLOOR_SETTINGS_H
#define FLOOR_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"

enum role { ROLE_SERVE, ROLE_LOAD };

// How the requests of an open loop are spread: evenly, by chance as those of many clients that know nothing of each
// other, or as many at once as there are connections.
enum arrival { ARRIVAL_EVEN, ARRIVAL_POISSON, ARRIVAL_BURST };

// A request's target, in bytes.
enum { COST_PATH_LIMIT = 2048 };

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
  bool any_answer;   // the first answer is right, whatever it is, and all others have to be like it
  bool copy;         // the bytes are copied where they could be passed by reference
  const char* file;  // that is served, or is the body of each request
  // Of cases cost and load.
  double rate;  // requests a second; 0: a closed loop
  enum arrival arrival;
  uint64_t seed;      // of what is left to chance
  bool warms_closed;  // in a closed loop, whatever the rate
  // Of cases cost and load.
  const char* method;
  const char* path;   // and of the http cases
  bool uwsgi;         // the protocol, instead of HTTP
  size_t request;     // bytes of a request's body
  size_t answer;      // bytes of an answer's body
  bool answer_known;  // if not, any length is right
  int64_t measured_ns;
  int64_t warmup_ns;
  int64_t patience_ns;  // for the operations under way when the time is up
};

// Ends the program (exit 2) at an unknown word or a value out of range. What is not given is the default of the case.
void settings_parse(struct settings* settings, int count, char** words);

#endif
