#include "cost_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"
#include "uwsgi_packet.h"

enum { HEAD_CAPACITY = 2 * COST_PATH_LIMIT + 1024 };

// Kept connections as a browser asks for them; one connection each as nginx 1.26 does of its own accord (HTTP/1.0).
static size_t make_http_head(char* head, const struct settings* settings, size_t body) {
  char length[64] = "";
  if (body > 0) snprintf(length, sizeof length, "Content-Length: %zu\r\n", body);
  int count =
      snprintf(head, HEAD_CAPACITY, "%s %s HTTP/1.%c\r\nHost: localhost\r\n%s%s\r\n", settings->method, settings->path,
               settings->keep_alive ? '1' : '0', length, settings->keep_alive ? "" : "Connection: close\r\n");
  return (size_t)count;
}

// The variables of Debian's uwsgi_params, in nginx's order.
static size_t make_uwsgi_head(char* head, const struct settings* settings, size_t body) {
  struct uwsgi_packet packet;
  char number[32] = "";
  if (body > 0) snprintf(number, sizeof number, "%zu", body);
  size_t path = strcspn(settings->path, "?");
  const char* query = settings->path[path] == '?' ? settings->path + path + 1 : "";
  uwsgi_packet_begin(&packet, head, HEAD_CAPACITY);
  uwsgi_packet_add(&packet, "QUERY_STRING", query, strlen(query));
  uwsgi_packet_add(&packet, "REQUEST_METHOD", settings->method, strlen(settings->method));
  uwsgi_packet_add(&packet, "CONTENT_TYPE", "", 0);
  uwsgi_packet_add(&packet, "CONTENT_LENGTH", number, strlen(number));
  uwsgi_packet_add(&packet, "REQUEST_URI", settings->path, strlen(settings->path));
  uwsgi_packet_add(&packet, "PATH_INFO", settings->path, path);
  uwsgi_packet_add(&packet, "DOCUMENT_ROOT", "/usr/share/nginx/html", 21);
  uwsgi_packet_add(&packet, "SERVER_PROTOCOL", "HTTP/1.1", 8);
  uwsgi_packet_add(&packet, "REQUEST_SCHEME", "http", 4);
  uwsgi_packet_add(&packet, "REMOTE_ADDR", "127.0.0.1", 9);
  uwsgi_packet_add(&packet, "REMOTE_PORT", "40000", 5);
  uwsgi_packet_add(&packet, "SERVER_PORT", "80", 2);
  uwsgi_packet_add(&packet, "SERVER_NAME", "localhost", 9);
  uwsgi_packet_add(&packet, "HTTP_HOST", "localhost", 9);
  return uwsgi_packet_end(&packet);
}

// The file's bytes or, without one, as many as are asked for.
static char* make_body(const struct settings* settings, size_t* length) {
  *length = settings->request;
  if (settings->file == NULL) {
    char* body = allocate(*length + 1, 1);
    memset(body, 'x', *length);
    return body;
  }
  FILE* file = fopen(settings->file, "rb");
  struct stat status;
  if (file == NULL || fstat(fileno(file), &status) < 0) die(settings->file, errno);
  *length = (size_t)status.st_size;
  char* body = allocate(*length + 1, 1);
  if (fread(body, 1, *length, file) != *length) fail("%s: it can't be read whole", settings->file);
  fclose(file);
  return body;
}

void cost_request_make(struct cost_request* request, const struct settings* settings) {
  char head[HEAD_CAPACITY];
  size_t body_length;
  char* body = make_body(settings, &body_length);
  size_t head_length =
      settings->uwsgi ? make_uwsgi_head(head, settings, body_length) : make_http_head(head, settings, body_length);
  request->length = head_length + body_length;
  request->data = allocate(request->length, 1);
  memcpy(request->data, head, head_length);
  memcpy(request->data + head_length, body, body_length);
  free(body);
}
