#include "net.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "process.h"

// Node's default backlog: the same queue for every subject of the bench.
enum { LISTEN_BACKLOG = 511 };

static union {
  struct sockaddr any;
  struct sockaddr_in in;
  struct sockaddr_un un;
} address;
static socklen_t length;

void net_parse(bool tcp, const char* text) {
  char host[INET_ADDRSTRLEN];
  uint16_t port;
  if (!tcp) {
    if (strlen(text) >= sizeof address.un.sun_path) errx(EXIT_FAILURE, "%s: too long for a socket's path", text);
    address.un.sun_family = AF_UNIX;
    strcpy(address.un.sun_path, text);
    length = sizeof address.un;
    return;
  }
  bool right = sscanf(text, "%15[0-9.]:%5hu", host, &port) == 2;
  if (!right || inet_pton(AF_INET, host, &address.in.sin_addr) != 1) errx(EXIT_FAILURE, "no ADDRESS:PORT: %s", text);
  address.in.sin_family = AF_INET;
  address.in.sin_port = htons(port);
  length = sizeof address.in;
}

static void set_option(int fd, int level, int option) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) < 0) err(EXIT_FAILURE, "setsockopt");
}

int net_listen(uint16_t* port) {
  int fd = sys_socket(address.any.sa_family);
  if (address.any.sa_family == AF_INET) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    // Accepted sockets inherit it on Linux and Darwin, which saves a call per connection.
    set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  }
  if (bind(fd, &address.any, length) < 0) err(EXIT_FAILURE, "bind");
  if (listen(fd, LISTEN_BACKLOG) < 0) err(EXIT_FAILURE, "listen");
  if (getsockname(fd, &address.any, &length) < 0) err(EXIT_FAILURE, "getsockname");
  *port = ntohs(address.in.sin_port);
  return fd;
}

int net_connect(int* fd) {
  *fd = sys_socket(address.any.sa_family);
  if (address.any.sa_family == AF_INET) set_option(*fd, IPPROTO_TCP, TCP_NODELAY);
  if (connect(*fd, &address.any, length) == 0 || errno == EINPROGRESS) return 0;
  int error = errno;
  close(*fd);
  *fd = -1;
  return error;
}

void net_enlarge(int fd) {
  // Each time the buffer is full costs a call: below 400 KiB references hardly pay, above 1 MiB they gain no more.
  const int capacity = 1024 * 1024;
  // If this is refused or reduced, that is the system's limit.
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &capacity, sizeof capacity);
}

static void make_room(struct input* input, size_t size) {
  if (size <= input->capacity) return;
  input->data = enlarge(input->data, size);
  input->capacity = size;
}

ptrdiff_t input_read(struct input* input, int fd, const char** data) {
  static char buffer[READ_CAPACITY];  // shared by all inputs that have kept nothing, which is nearly all
  if (input->length > 0) make_room(input, input->length + READ_CAPACITY);
  char* begin = input->length > 0 ? input->data : buffer;
  *data = begin;
  return recv(fd, begin + input->length, READ_CAPACITY, 0);
}

void input_keep(struct input* input, const char* data, size_t length) {
  // Bytes kept before have been moved to the input by then.
  if (input->length == 0) make_room(input, length);
  if (length > 0) memmove(input->data, data, length);
  input->length = length;
}
