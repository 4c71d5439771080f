#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "sys.h"

// What Node listens with when no backlog is given: the same queue for every subject of the bench.
enum { LISTEN_BACKLOG = 511 };

static char socket_file[sizeof((struct sockaddr_un*)0)->sun_path];

static void parse_path(struct endpoint* endpoint, const char* path) {
  struct sockaddr_un* address = &endpoint->address.un;
  size_t length = strlen(path);
  if (length == 0) usage("an empty socket path");
  if (length >= sizeof address->sun_path) usage("socket path of %zu bytes: too long", length);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length + 1);
  endpoint->length = sizeof *address;
}

static void parse_host_and_port(struct endpoint* endpoint, const char* text) {
  struct sockaddr_in* address = &endpoint->address.in;
  char host[INET_ADDRSTRLEN];
  unsigned port;
  int end = 0;
  bool right = sscanf(text, "%15[0-9.]:%5u%n", host, &port, &end) == 2 && text[end] == '\0' && port <= 65535;
  if (!right || inet_pton(AF_INET, host, &address->sin_addr) != 1) usage("no ADDRESS:PORT: %s", text);
  address->sin_family = AF_INET;
  address->sin_port = htons((uint16_t)port);
  endpoint->length = sizeof *address;
}

void endpoint_parse(struct endpoint* endpoint, bool tcp, const char* text) {
  *endpoint = (struct endpoint){.tcp = tcp};
  if (tcp) {
    parse_host_and_port(endpoint, text);
  } else {
    parse_path(endpoint, text);
  }
}

void endpoint_print(const struct endpoint* endpoint, char* text, size_t size) {
  if (!endpoint->tcp) {
    snprintf(text, size, "%s", endpoint->address.un.sun_path);
    return;
  }
  char host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &endpoint->address.in.sin_addr, host, sizeof host);
  snprintf(text, size, "%s:%u", host, (unsigned)ntohs(endpoint->address.in.sin_port));
}

static void set_option(int fd, int level, int option) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) < 0) die("setsockopt", errno);
}

static void remove_socket_file(void) { unlink(socket_file); }

static void on_signal(int number) {
  (void)number;
  remove_socket_file();
  _exit(EXIT_SUCCESS);
}

static void remove_at_exit(const char* path) {
  memcpy(socket_file, path, sizeof socket_file);
  const struct sigaction action = {.sa_handler = on_signal};
  if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0) die("sigaction", errno);
  if (atexit(remove_socket_file) != 0) fail("atexit");
}

int net_listen(struct endpoint* endpoint) {
  int fd = sys_socket(endpoint->address.any.sa_family);
  if (fd < 0) die("socket", errno);
  if (endpoint->tcp) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR);
    // Accepted sockets inherit it, on Linux and on Darwin: no call per connection.
    set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  }
  if (bind(fd, &endpoint->address.any, endpoint->length) < 0) die("bind", errno);
  if (!endpoint->tcp) remove_at_exit(endpoint->address.un.sun_path);
  if (listen(fd, LISTEN_BACKLOG) < 0) die("listen", errno);
  if (endpoint->tcp && getsockname(fd, &endpoint->address.any, &endpoint->length) < 0) die("getsockname", errno);
  return fd;
}

void net_enlarge(int fd) {
  // They cost a call each time it is full: below 400 KiB they hardly pay, above 1 MiB they gain no more.
  const int capacity = 1024 * 1024;
  // Refused or cut down: then it is what this system lets have.
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &capacity, sizeof capacity);
}

int net_connect(const struct endpoint* endpoint, int* fd) {
  *fd = sys_socket(endpoint->address.any.sa_family);
  if (*fd < 0) die("socket", errno);
  if (endpoint->tcp) set_option(*fd, IPPROTO_TCP, TCP_NODELAY);
  if (connect(*fd, &endpoint->address.any, endpoint->length) == 0 || errno == EINPROGRESS) return 0;
  int error = errno;
  close(*fd);
  *fd = -1;
  return error;
}
