// The calls that differ between systems; one file per platform (sys_linux.c, sys_darwin.c).
#ifndef FLOOR_SYS_H
#define FLOOR_SYS_H

#include <stdint.h>

// A stream socket, non-blocking and close-on-exec, or -1 and errno.
int sys_socket(int domain);

// The same for the next connection of a listener.
int sys_accept(int listener);

// Resident memory of this process now, in bytes.
int64_t sys_resident_bytes(void);

// Raises the soft limit of descriptors to the hard one, or as near as the system lets, and returns what holds.
uint64_t sys_raise_descriptor_limit(void);

#endif
