// The process: memory, clock, CPU, the orchestrator's end (process.c), and what differs between systems: its loop of
// events and timers, and some calls (sys_linux.c, sys_darwin.c).
//
// Whatever fails ends the program with a line on stderr (err.h), but for what a caller is told by -1 and errno. The
// floor repairs nothing; a benchmark that limps measures nothing.
#ifndef FLOOR_PROCESS_H
#define FLOOR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

// calloc and realloc that do not come back without memory.
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

// What a client is told to do next.
enum word { WORD_NONE, WORD_GO, WORD_WARM };

// "cpu" and "memory" are answered from here on, whenever the loop turns, and the end of stdin ends the program, so that
// no process outlives the one that started it.
void control_open(void);

// Turns the loop until a word has come.
enum word control_wait(void);

// One line on stdout, at once.
void control_say(const char* format, ...) __attribute__((format(printf, 1, 2)));

enum { READABLE = 1u, WRITABLE = 2u };

// One wait brings at most this many: enough to spread its cost, small enough to stay in the cache.
enum { EVENTS_PER_TURN = 256 };

// A descriptor under watch. It stands first in the struct that owns it, which is how the callback finds its owner.
// Level-triggered: what is left unread or unwritten is told again on the next turn.
struct watch {
  int fd;             // -1: closed
  unsigned interest;  // READABLE | WRITABLE; 0: not registered
  unsigned ready;     // set by events_turn, cleared before the callback
  void (*on_ready)(struct watch* watch, unsigned ready);
};

// The process has one loop.
void events_open(void);

// Registers the watch, changes what it waits for or, with 0, takes it out. Asks the kernel only if `interest` differs.
void events_set(struct watch* watch, unsigned interest);

// Takes the watch out of a turn that is being handled: its descriptor, which the caller gets, is to be closed before
// the next one, and leaves the queue thereby.
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

// Calls a watch that has become ready in this turn, and has not been closed since.
static inline void events_tell(struct watch* watch) {
  unsigned ready = watch->ready;
  watch->ready = 0;
  if (ready != 0) watch->on_ready(watch, ready);
}

// A timer instead of a time-out in the wait: the kernel arms and disarms a time-out on every wait, which shows in a
// round trip of 5 us.
void timer_open(struct watch* timer, void (*on_ready)(struct watch* timer, unsigned ready));

// It is ready once, after so long or at once; what it was armed for before is void.
void timer_arm(struct watch* timer, int64_t nanoseconds);

// A stream socket, non-blocking and close-on-exec.
int sys_socket(int domain);

// The same for the next connection of a listener, or -1 and errno.
int sys_accept(int listener);

// send of what more follows at once, so that TCP need not make a segment of it: the count, or -1 and errno.
ptrdiff_t sys_send_more(int to, const char* data, size_t length);

// Sends up to `count` bytes of the file from `offset` on, by reference where the system can: the count, or -1 and
// errno.
ptrdiff_t sys_send_file(int to, int file, int64_t offset, size_t count);

// A file with this content that has no name, in memory where the system has such.
int sys_memory_file(const char* data, size_t length);

// Both ends of a pipe that holds `capacity` bytes or as much as the system lets. False where bytes can't go from socket
// to socket without a buffer of ours.
bool sys_pipe(int ends[2], size_t capacity);

// Moves up to `count` bytes from or to a pipe: the count, or -1 and errno.
ptrdiff_t sys_splice(int from, int to, size_t count);

// Resident memory of this process now, in bytes.
int64_t sys_resident_bytes(void);

#endif
