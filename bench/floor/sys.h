// The calls that differ between systems; one file per platform (sys_linux.c, sys_darwin.c).
#ifndef FLOOR_SYS_H
#define FLOOR_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A stream socket, non-blocking and close-on-exec, or -1 and errno.
int sys_socket(int domain);

// The same for the next connection of a listener.
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

// Raises the soft limit of descriptors to the hard one, or as near as the system lets, and returns what holds.
uint64_t sys_raise_descriptor_limit(void);

#endif
