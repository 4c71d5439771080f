// The command line, and the cases.
#ifndef FLOOR_SETTINGS_H
#define FLOOR_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "net.h"

// How the requests of an open loop are distributed: evenly, randomly like those of many independent clients, or in
// bursts of as many as there are connections.
enum arrival { ARRIVAL_EVEN, ARRIVAL_POISSON, ARRIVAL_BURST };

// The contents of a response.
enum content {
  CONTENT_SAME,      // the same `answer` bytes each time
  CONTENT_NUMBERED,  // `bytes` bytes that are generated anew each time, starting with a number
  CONTENT_FILE,      // a file that holds `bytes` bytes of the pattern
  CONTENT_PAGE,      // the same bytes, in memory
};

struct floor_case {
  const char* name;
  const struct service* service;
  const struct load* load;
  enum content content;
};

static const size_t ANY_LENGTH = SIZE_MAX;

struct settings {
  const struct floor_case* of;
  bool tcp;
  const char* address;
  size_t bytes;        // of a message, a write, or a body that is uploaded or downloaded
  size_t window;       // messages outstanding
  size_t connections;  // concurrent
  size_t idle;         // additional connections that are open and silent
  enum content content;
  size_t answer;  // bytes of a response, or ANY_LENGTH
  bool keep_alive;
  bool upload;
  bool any_answer;      // the first response is valid, whatever it is, and all others must be like it
  bool copy;            // bytes are copied that could be passed by reference
  const char* file;     // the file to serve
  const char* request;  // a file with the bytes of each request; NULL: it is a GET of `path`
  const char* path;
  bool uwsgi;   // the server's protocol is uwsgi instead of HTTP
  double rate;  // requests a second; 0: a closed loop
  enum arrival arrival;
  size_t seed;  // of the random numbers
  double seconds;
  double warmup;
  double patience;  // seconds for the operations in progress when the time is up
};

extern struct settings settings;

// The arguments after the role: pairs of a name and a value.
void settings_parse(char** words);

#endif
