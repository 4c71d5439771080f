// The process: memory, clock, CPU, the orchestrator's commands (process.c), and the differences between systems: event
// loop, timers, and some calls (sys_linux.c, sys_darwin.c).
//
// Any failure ends the program with a line on stderr (err.h), except those that are returned as -1 and errno. The floor
// repairs nothing: results of a partly failed run are worthless.
#ifndef FLOOR_PROCESS_H
#define FLOOR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

// calloc and realloc that never return without memory.
void* allocate(size_t size);
void* enlarge(void* memory, size_t size);

// Monotonic clock in ns.
int64_t clock_ns(void);

// Time of all threads since the start, in us.
struct cpu {
  int64_t user;
  int64_t system;
};

struct cpu process_cpu(void);

// The next command for a client.
enum word { WORD_NONE, WORD_GO, WORD_WARM };

// From now on "cpu" and "memory" are answered whenever the loop runs, and the end of stdin ends the program, so that no
// process outlives the one that started it.
void control_open(void);

// Runs the loop until a command has come.
enum word control_wait(void);

// One line on stdout, at once.
void control_say(const char* format, ...) __attribute__((format(printf, 1, 2)));

enum { READABLE = 1u, WRITABLE = 2u };

// One wait returns at most this many: enough to spread its cost, small enough to stay in the cache.
enum { EVENTS_PER_TURN = 256 };

// A watched descriptor. It is the first member of the struct that owns it, which is how the callback finds its owner.
// Level-triggered: unread or unwritten data is reported again in the next iteration.
struct watch {
  int fd;             // -1: closed
  unsigned interest;  // READABLE | WRITABLE; 0: not registered
  unsigned ready;     // set by events_turn, cleared before the callback
  void (*on_ready)(struct watch* watch, unsigned ready);
};

// The process has one loop.
void events_open(void);

// Registers the watch, changes what it waits for or, with 0, removes it. Calls the kernel only if `interest` differs.
void events_set(struct watch* watch, unsigned interest);

// Removes the watch from the current iteration. The caller gets its descriptor and must close it before the next
// iteration, which also removes it from the queue.
static inline int events_let_go(struct watch* watch) {
  int fd = watch->fd;
  watch->fd = -1;
  watch->interest = 0;
  watch->ready = 0;
  return fd;
}

static inline void events_close(struct watch* watch) { close(events_let_go(watch)); }

// Waits for events and calls each ready watch once.
void events_turn(void);

// Calls a watch that became ready in this iteration, unless it has been closed since.
static inline void events_tell(struct watch* watch) {
  unsigned ready = watch->ready;
  watch->ready = 0;
  if (ready != 0) watch->on_ready(watch, ready);
}

// A timer instead of a timeout of the wait: the kernel arms and disarms a timeout on every wait, which shows in a round
// trip of 5 us.
void timer_open(struct watch* timer, void (*on_ready)(struct watch* timer, unsigned ready));

// It becomes ready once, after this time or at once; earlier settings are discarded.
void timer_arm(struct watch* timer, int64_t nanoseconds);

// A stream socket, non-blocking and close-on-exec.
int sys_socket(int domain);

// The same for the next connection of a listener, or -1 and errno.
int sys_accept(int listener);

// A send followed by another one at once, so that TCP need not make a segment of it: the count, or -1 and errno.
ptrdiff_t sys_send_more(int to, const char* data, size_t length);

// Sends up to `count` bytes of the file from `offset` on, by reference where the system can: the count, or -1 and
// errno.
ptrdiff_t sys_send_file(int to, int file, int64_t offset, size_t count);

// An unnamed file with this content, in memory if the system supports that.
int sys_memory_file(const char* data, size_t length);

// Both ends of a pipe that holds `capacity` bytes, or as much as the system permits. False if bytes cannot move from
// socket to socket without a buffer in user space.
bool sys_pipe(int ends[2], size_t capacity);

// Moves up to `count` bytes from or to a pipe: the count, or -1 and errno.
ptrdiff_t sys_splice(int from, int to, size_t count);

// Resident memory of this process now, in bytes.
int64_t sys_resident_bytes(void);

#endif
