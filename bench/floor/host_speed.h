// How fast the host's processors are at this moment. A virtual machine shares them with others that nobody here sees:
// the neighbour on a core's other hardware thread makes the same work take half as long again, for seconds at a time.
#ifndef FLOOR_HOST_SPEED_H
#define FLOOR_HOST_SPEED_H

// Each line on stdin is answered with `{"speed":S}`, steps of a fixed piece of work that a processor does in a
// microsecond: the mean of those this process may run on, or of some of them where there are many. Ends with stdin.
void host_speed_run(void);

#endif
