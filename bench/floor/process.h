// What the process knows of itself: time and CPU.
#ifndef FLOOR_PROCESS_H
#define FLOOR_PROCESS_H

#include <stdint.h>

// Monotonic clock in ns.
int64_t clock_ns(void);

// User + system time of all threads since the start, in us.
int64_t process_cpu_us(void);

// The kernel's part of it.
int64_t process_system_us(void);

#endif
