#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "sys.h"

void control_say(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stdout, format, arguments);
  va_end(arguments);
  fputc('\n', stdout);
  if (fflush(stdout) != 0) die("stdout", errno);
}

void control_say_ready(const char* address) {
  fputs("{\"ready\":true,\"address\":\"", stdout);
  for (const char* next = address; *next != '\0'; next++) {
    unsigned char byte = (unsigned char)*next;
    printf(byte < 0x20 || byte == '"' || byte == '\\' ? "\\u%04x" : "%c", byte);
  }
  control_say("\"}");
}

static void obey(struct control* control, const char* word) {
  if (strcmp(word, "cpu") == 0) {
    control_say("{\"cpu\":%" PRId64 "}", process_cpu_us());
  } else if (strcmp(word, "memory") == 0) {
    control_say("{\"memory\":%" PRId64 "}", sys_resident_bytes());
  } else if (strcmp(word, "go") == 0) {
    control->word = CONTROL_GO;
  } else if (strcmp(word, "warm") == 0) {
    control->word = CONTROL_WARM;
  } else {
    fail("unknown word on stdin: %s", word);
  }
}

static void on_input(struct watch* watch, unsigned ready) {
  (void)ready;
  struct control* control = (struct control*)watch;
  // Not made non-blocking, as the terminal may share it: one read of what the loop says is there does not block.
  ssize_t count = read(watch->fd, control->line + control->length, CONTROL_LINE_LIMIT - control->length);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count < 0) die("stdin", errno);
  if (count == 0) {
    control->ended = true;
    events_close(watch);
    return;
  }
  control->length += (size_t)count;
  char* start = control->line;
  for (char* end; (end = memchr(start, '\n', control->length)) != NULL; start = end + 1) {
    *end = '\0';
    control->length -= (size_t)(end + 1 - start);
    obey(control, start);
  }
  if (control->length == CONTROL_LINE_LIMIT) fail("a line on stdin is too long");
  memmove(control->line, start, control->length);
}

void control_open(struct control* control, int queue) {
  // Who writes to a peer that is gone is told by the call.
  if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) die("signal", errno);
  *control = (struct control){.input = {.fd = STDIN_FILENO, .on_ready = on_input}};
  events_set(queue, &control->input, READABLE);
}
