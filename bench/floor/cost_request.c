#include "cost_request.h"

#include <stdio.h>
#include <string.h>

#include "report.h"
#include "uwsgi_packet.h"

enum { HEAD_CAPACITY = 2 * COST_PATH_LIMIT + 1024 };

// Kept connections as a browser asks for them; one connection each as nginx 1.26 does of its own accord (HTTP/1.0).
static size_t make_http_head(char* head, const struct settings* settings) {
  char length[64] = "";
  if (settings->request > 0) snprintf(length, sizeof length, "Content-Length: %zu\r\n", settings->request);
  int count =
      snprintf(head, HEAD_CAPACITY, "%s %s HTTP/1.%c\r\nHost: localhost\r\n%s%s\r\n", settings->method, settings->path,
               settings->keep_alive ? '1' : '0', length, settings->keep_alive ? "" : "Connection: close\r\n");
  return (size_t)count;
}

// The variables of Debian's uwsgi_params, in nginx's order.
static size_t make_uwsgi_head(char* head, const struct settings* settings) {
  struct uwsgi_packet packet;
  char number[32] = "";
  if (settings->request > 0) snprintf(number, sizeof number, "%zu", settings->request);
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

void cost_request_make(struct cost_request* request, const struct settings* settings) {
  char head[HEAD_CAPACITY];
  size_t head_length = settings->uwsgi ? make_uwsgi_head(head, settings) : make_http_head(head, settings);
  request->length = head_length + settings->request;
  request->data = allocate(request->length, 1);
  memcpy(request->data, head, head_length);
  memset(request->data + head_length, 'x', settings->request);
}
