// Addresses and stream sockets of both families.
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
  bool tcp;
};

// From a path, or from ADDRESS:PORT with a numeric IPv4 address. Ends the program (exit 2) if it is neither.
void endpoint_parse(struct endpoint* endpoint, bool tcp, const char* text);

// Binds and listens; with port 0 the endpoint is filled with the port that was chosen. A socket file is removed at
// exit, SIGTERM and SIGINT.
int net_listen(struct endpoint* endpoint);

// Writes the address as text ("127.0.0.1:80" or the path).
void endpoint_print(const struct endpoint* endpoint, char* text, size_t size);

// Has a socket hold so much unread that references to pages pay, if the system lets it.
void net_enlarge(int fd);

// A new socket with connect() called: 0, or the errno. EINPROGRESS counts as 0: a send that comes too early is told so.
int net_connect(const struct endpoint* endpoint, int* fd);

#endif
