// The orchestrator's end: lines on stdin, JSON lines on stdout. The end of stdin ends the program, so that no process
// outlives the one that started it.
#ifndef FLOOR_CONTROL_H
#define FLOOR_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "events.h"

enum { CONTROL_LINE_LIMIT = 64 };  // the longest word is "memory"

// What a client is told to do next.
enum control_word { CONTROL_NOTHING, CONTROL_GO, CONTROL_WARM };

struct control {
  struct watch input;
  enum control_word word;
  bool ended;
  size_t length;
  char line[CONTROL_LINE_LIMIT];
};

// "cpu" and "memory" are answered from here on, whenever the loop turns.
void control_open(struct control* control, int queue);

// One line on stdout, at once.
void control_say(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Says that the server listens at `address`.
void control_say_ready(const char* address);

#endif
