#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "client.h"
#include "http.h"

static struct iovec read_request(const char* path) {
  struct stat status;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) < 0) err(EXIT_FAILURE, "%s", path);
  size_t length = (size_t)status.st_size;
  char* data = allocate(length);
  if (read(file, data, length) != (ptrdiff_t)length) errx(EXIT_FAILURE, "%s: it can't be read whole", path);
  close(file);
  return (struct iovec){.iov_base = data, .iov_len = length};
}

struct iovec http_request_make(void) {
  if (settings.request != NULL) return read_request(settings.request);
  // A browser requests a persistent connection with HTTP/1.1. For one request per connection, `cost` does as nginx
  // 1.26.
  bool http_1_0 = !settings.keep_alive && settings.of->load == &load_cost;
  const char* connection = settings.keep_alive ? "" : "Connection: close\r\n";
  char* data;
  int length = asprintf(&data, "GET %s HTTP/1.%d\r\nHost: localhost\r\n%s\r\n", settings.path, !http_1_0, connection);
  if (length < 0) errx(EXIT_FAILURE, "the request");
  return (struct iovec){.iov_base = data, .iov_len = (size_t)length};
}
