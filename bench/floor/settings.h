// The command line, and the cases that it names.
#ifndef FLOOR_SETTINGS_H
#define FLOOR_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "net.h"

// How the requests of an open loop are spread: evenly, by chance as those of many clients that know nothing of each
// other, or as many at once as there are connections.
enum arrival { ARRIVAL_EVEN, ARRIVAL_POISSON, ARRIVAL_BURST };

// What a request is answered with.
enum content {
  CONTENT_SAME,      // the same `answer` bytes each time
  CONTENT_NUMBERED,  // `bytes` bytes that are made anew each time, with a number in front
  CONTENT_FILE,      // a file that holds `bytes` bytes of the pattern
  CONTENT_PAGE,      // the same bytes, which lie in memory
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
  size_t connections;  // at once
  size_t idle;         // connections beside these that are open and silent
  enum content content;
  size_t answer;  // bytes of what a request is answered with, or ANY_LENGTH
  bool keep_alive;
  bool upload;
  bool any_answer;      // the first answer is right, whatever it is, and all others have to be like it
  bool copy;            // the bytes are copied where they could be passed by reference
  const char* file;     // that is served
  const char* request;  // a file with the bytes of each request; NULL: it is a GET of `path`
  const char* path;
  bool uwsgi;   // is the protocol of the server, instead of HTTP
  double rate;  // requests a second; 0: a closed loop
  enum arrival arrival;
  size_t seed;  // of what is left to chance
  double seconds;
  double warmup;
  double patience;  // seconds, for the operations under way when the time is up
};

extern struct settings settings;

// The words behind the role: pairs of a name and a value.
void settings_parse(char** words);

#endif
