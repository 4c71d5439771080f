// Stream sockets of both families, and the data read from them.
#ifndef FLOOR_NET_H
#define FLOOR_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

// The only address of the process: a path, or ADDRESS:PORT with a numeric IPv4 address.
void net_parse(bool tcp, const char* text);

// Binds and listens. Returns the descriptor, and the port, which the system chooses for 0.
int net_listen(uint16_t* port);

// A new socket with connect() called: 0, or the errno. EINPROGRESS counts as 0: a send that is too early reports it.
int net_connect(int* fd);

// Makes a socket hold enough unread data for references to pages to pay off, if the system permits it.
void net_enlarge(int fd);

// The size of one read. Large enough for the whole of a UNIX socket's default send buffer (212,992 bytes): with 128, 64
// and 32 KiB bulk and uploads of 1 MiB are slower by up to 3, 7 and 15 %.
enum { READ_CAPACITY = 256 * 1024 };

// Received bytes of a connection that are incomplete without further ones.
struct input {
  char* data;
  size_t length;
  size_t capacity;
};

// One read, with its result. `data` points to the kept bytes, followed by the received ones: valid until the next read
// of any connection.
ptrdiff_t input_read(struct input* input, int fd, const char** data);

// Keeps only these last bytes of the data.
void input_keep(struct input* input, const char* data, size_t length);

#endif
