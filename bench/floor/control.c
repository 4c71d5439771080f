#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "report.h"
#include "sys.h"

// The write end of the pipe that brings signals into the loop: all that a handler may touch.
static int signal_pipe = -1;

static void on_signal(int number) {
  int saved = errno;
  char byte = (char)number;
  // A full pipe has a signal waiting already.
  ssize_t written = write(signal_pipe, &byte, 1);
  (void)written;
  errno = saved;
}

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
    if (byte == '"' || byte == '\\') {
      printf("\\%c", byte);
    } else if (byte < 0x20) {
      printf("\\u%04x", byte);
    } else {
      fputc(byte, stdout);
    }
  }
  control_say("\"}");
}

static void obey(struct control* control, const char* word) {
  if (strcmp(word, "cpu") == 0) {
    control_say("{\"cpu\":%" PRId64 "}", process_cpu_us());
  } else if (strcmp(word, "memory") == 0) {
    control_say("{\"memory\":%" PRId64 "}", sys_resident_bytes());
  } else if (control->may_go && (strcmp(word, "go") == 0 || strcmp(word, "warm") == 0)) {
    control->may_go = false;
    control->word = strcmp(word, "go") == 0 ? CONTROL_GO : CONTROL_WARM;
  } else {
    fail("unknown word on stdin: %s", word);
  }
}

static void obey_whole_lines(struct control* control) {
  char* start = control->line;
  char* end;
  while ((end = memchr(start, '\n', control->length)) != NULL) {
    *end = '\0';
    control->length -= (size_t)(end + 1 - start);
    obey(control, start);
    start = end + 1;
  }
  if (control->length == CONTROL_LINE_LIMIT) fail("a line on stdin is too long");
  memmove(control->line, start, control->length);
}

static void on_input(struct watch* watch, unsigned ready) {
  (void)ready;
  struct control* control = (struct control*)watch;
  // Not made non-blocking, as the terminal may share it: one read of what the loop says is there does not block.
  ssize_t count = read(watch->fd, control->line + control->length, CONTROL_LINE_LIMIT - control->length);
  if (count < 0) {
    if (errno == EINTR || errno == EAGAIN) return;
    die("stdin", errno);
  }
  if (count == 0) {
    control->ended = true;
    events_close(watch);
    return;
  }
  control->length += (size_t)count;
  obey_whole_lines(control);
}

static void on_signal_byte(struct watch* watch, unsigned ready) {
  (void)ready;
  struct control* control = (struct control*)((char*)watch - offsetof(struct control, signals));
  control->ended = true;
  events_close(watch);
}

static void catch_signals(struct control* control, int queue) {
  int ends[2];
  if (pipe(ends) < 0) die("pipe", errno);
  for (int i = 0; i < 2; i++) {
    if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[i], F_SETFL, O_NONBLOCK) < 0) die("fcntl", errno);
  }
  signal_pipe = ends[1];
  control->signals = (struct watch){.fd = ends[0], .on_ready = on_signal_byte};
  events_set(queue, &control->signals, READABLE);
  struct sigaction action = {.sa_handler = on_signal};
  if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0) die("sigaction", errno);
  action.sa_handler = SIG_IGN;
  if (sigaction(SIGPIPE, &action, NULL) < 0) die("sigaction", errno);
}

// A file or /dev/null has no end that could tell of the orchestrator's.
static void check_input(void) {
  struct stat input;
  if (fstat(STDIN_FILENO, &input) < 0) die("stdin", errno);
  if (S_ISREG(input.st_mode) || (S_ISCHR(input.st_mode) && !isatty(STDIN_FILENO))) {
    fail("stdin must be a pipe or a terminal: words come from it, and its end ends the program");
  }
}

void control_open(struct control* control, int queue) {
  memset(control, 0, sizeof *control);
  check_input();
  catch_signals(control, queue);
  control->input = (struct watch){.fd = STDIN_FILENO, .on_ready = on_input};
  events_set(queue, &control->input, READABLE);
}
