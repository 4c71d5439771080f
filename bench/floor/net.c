#include "net.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "sys.h"

// What Node listens with when no backlog is given: the same queue for every subject of the bench.
enum { LISTEN_BACKLOG = 511 };

static void parse_path(struct endpoint* endpoint, const char* path) {
  struct sockaddr_un* address = &endpoint->address.un;
  if (strlen(path) >= sizeof address->sun_path) errx(EXIT_FAILURE, "%s: too long for a socket's path", path);
  address->sun_family = AF_UNIX;
  strcpy(address->sun_path, path);
  endpoint->length = sizeof *address;
}

static void parse_host_and_port(struct endpoint* endpoint, const char* text) {
  struct sockaddr_in* address = &endpoint->address.in;
  char host[INET_ADDRSTRLEN];
  uint16_t port;
  bool right = sscanf(text, "%15[0-9.]:%5hu", host, &port) == 2;
  if (!right || inet_pton(AF_INET, host, &address->sin_addr) != 1) errx(EXIT_FAILURE, "no ADDRESS:PORT: %s", text);
  address->sin_family = AF_INET;
  address->sin_port = htons(port);
  endpoint->length = sizeof *address;
}

void endpoint_parse(struct endpoint* endpoint, bool tcp, const char* text) {
  if (tcp) {
    parse_host_and_port(endpoint, text);
  } else {
    parse_path(endpoint, text);
  }
}

static void set_option(int fd, int level, int option) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) < 0) err(EXIT_FAILURE, "setsockopt");
}

int net_listen(struct endpoint* endpoint) {
  struct sockaddr* address = &endpoint->address.any;
  int fd = sys_socket(address->sa_family);
  if (address->sa_family == AF_INET) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    // Accepted sockets inherit it, on Linux and on Darwin: no call per connection.
    set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  }
  if (bind(fd, address, endpoint->length) < 0) err(EXIT_FAILURE, "bind");
  if (listen(fd, LISTEN_BACKLOG) < 0) err(EXIT_FAILURE, "listen");
  if (address->sa_family == AF_INET && getsockname(fd, address, &endpoint->length) < 0) {
    err(EXIT_FAILURE, "getsockname");
  }
  return fd;
}

int net_connect(const struct endpoint* endpoint, int* fd) {
  const struct sockaddr* address = &endpoint->address.any;
  *fd = sys_socket(address->sa_family);
  if (address->sa_family == AF_INET) set_option(*fd, IPPROTO_TCP, TCP_NODELAY);
  if (connect(*fd, address, endpoint->length) == 0 || errno == EINPROGRESS) return 0;
  int error = errno;
  close(*fd);
  *fd = -1;
  return error;
}

void net_enlarge(int fd) {
  // They cost a call each time it is full: below 400 KiB they hardly pay, above 1 MiB they gain no more.
  const int capacity = 1024 * 1024;
  // Refused or cut down: then it is what this system lets have.
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &capacity, sizeof capacity);
}

static void make_room(struct input* input, size_t size) {
  if (size <= input->capacity) return;
  input->data = enlarge(input->data, size);
  input->capacity = size;
}

ptrdiff_t input_read(struct input* input, int fd, const char** data) {
  static char buffer[READ_CAPACITY];  // for all that have kept nothing, which is nearly all
  if (input->length > 0) make_room(input, input->length + READ_CAPACITY);
  char* begin = input->length > 0 ? input->data : buffer;
  *data = begin;
  return recv(fd, begin + input->length, READ_CAPACITY, 0);
}

void input_keep(struct input* input, const char* data, size_t length) {
  // What was kept before has been moved to the input by then.
  if (input->length == 0) make_room(input, length);
  if (length > 0) memmove(input->data, data, length);
  input->length = length;
}
