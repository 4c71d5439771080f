// Stream sockets of both families, and what is read from them.
#ifndef FLOOR_NET_H
#define FLOOR_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// The one address of the process: a path, or ADDRESS:PORT with a numeric IPv4 address.
void net_parse(bool tcp, const char* text);

// Binds and listens. Returns the descriptor, and the port, which is chosen where 0 is asked for.
int net_listen(uint16_t* port);

// A new socket with connect() called: 0, or the errno. EINPROGRESS counts as 0: a send that comes too early is told so.
int net_connect(int* fd);

// Has a socket hold so much unread that references to pages pay, if the system lets it.
void net_enlarge(int fd);

// What one read takes. Large enough for the whole of a UNIX socket's default send buffer (212,992 bytes): with 128, 64
// and 32 KiB bulk and uploads of 1 MiB are slower by up to 3, 7 and 15 %.
enum { READ_CAPACITY = 256 * 1024 };

// What has come on a connection and is of no use before more comes.
struct input {
  char* data;
  size_t length;
  size_t capacity;
};

// One read, with its result. `data` is where what was kept lies and, behind it, what has come: until the next read of
// any connection.
ptrdiff_t input_read(struct input* input, int fd, const char** data);

// Keeps these last bytes of that, and no others.
void input_keep(struct input* input, const char* data, size_t length);

#endif
