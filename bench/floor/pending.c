#include "pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "report.h"

// ENOTCONN: Darwin's word for a connect that is still under way; Linux says EAGAIN.
static bool is_transient(int error) { return error == EAGAIN || error == EINTR || error == ENOTCONN; }

static size_t length_of(const struct iovec* parts, size_t count) {
  size_t length = 0;
  for (size_t i = 0; i < count; i++) length += parts[i].iov_len;
  return length;
}

// Keeps the parts but for their first `taken` bytes.
static void keep(struct pending* pending, const struct iovec* parts, size_t count, size_t taken) {
  size_t more = length_of(parts, count) - taken;
  char* data = realloc(pending->data, pending->length + more);
  if (data == NULL) fail("out of memory");
  pending->data = data;
  for (size_t i = 0; i < count; i++) {
    size_t skipped = taken < parts[i].iov_len ? taken : parts[i].iov_len;
    taken -= skipped;
    size_t rest = parts[i].iov_len - skipped;
    if (rest == 0) continue;
    memcpy(pending->data + pending->length, (const char*)parts[i].iov_base + skipped, rest);
    pending->length += rest;
  }
}

bool pending_send(struct pending* pending, int fd, struct iovec* parts, size_t count) {
  size_t taken = 0;
  if (pending->data == NULL) {
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ptrdiff_t sent = count == 1 ? send(fd, parts[0].iov_base, parts[0].iov_len, 0) : sendmsg(fd, &message, 0);
    if (sent < 0 && !is_transient(errno)) return false;
    taken = sent < 0 ? 0 : (size_t)sent;
    if (taken == length_of(parts, count)) return true;
  }
  keep(pending, parts, count, taken);
  return true;
}

bool pending_flush(struct pending* pending, int fd) {
  if (pending->data == NULL) return true;
  ptrdiff_t sent = send(fd, pending->data + pending->sent, pending->length - pending->sent, 0);
  if (sent < 0) return is_transient(errno);
  pending->sent += (size_t)sent;
  if (pending->sent == pending->length) pending_drop(pending);
  return true;
}

void pending_drop(struct pending* pending) {
  free(pending->data);
  *pending = (struct pending){0};
}
