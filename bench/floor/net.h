// Stream sockets of both families: addresses, and what is read.
#ifndef FLOOR_NET_H
#define FLOOR_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct endpoint {
  union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
  } address;
  socklen_t length;
};

// From a path, or from ADDRESS:PORT with a numeric IPv4 address.
void endpoint_parse(struct endpoint* endpoint, bool tcp, const char* text);

// Binds and listens; with port 0 the endpoint is filled with the port that was chosen.
int net_listen(struct endpoint* endpoint);

// A new socket with connect() called: 0, or the errno. EINPROGRESS counts as 0: a send that comes too early is told so.
int net_connect(const struct endpoint* endpoint, int* fd);

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
