#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http.h"
#include "pattern.h"
#include "process.h"

// A path stands in a packet twice, and all else takes less than the rest.
enum { HEAD_CAPACITY = 2 * PATH_LIMIT + 1024 };

// A browser asks for a connection to be kept by HTTP/1.1. Of those for one request each, `cost` has nginx 1.26's way.
static size_t make_http_head(char* head, const struct settings* settings, size_t body) {
  bool http_1_0 = !settings->keep_alive && settings->content == CONTENT_ANY;
  char length[64] = "";
  if (body > 0) snprintf(length, sizeof length, "Content-Length: %zu\r\n", body);
  int count =
      snprintf(head, HEAD_CAPACITY, "%s %s HTTP/1.%c\r\nHost: localhost\r\n%s%s\r\n", settings->method, settings->path,
               http_1_0 ? '0' : '1', length, settings->keep_alive ? "" : "Connection: close\r\n");
  return (size_t)count;
}

static void add_text(char** at, const char* text) {
  size_t length = strlen(text);
  (*at)[0] = (char)(length & 0xff);
  (*at)[1] = (char)(length >> 8);
  memcpy(*at + 2, text, length);
  *at += 2 + length;
}

// The variables of Debian's uwsgi_params, in nginx's order.
static size_t make_uwsgi_head(char* head, const struct settings* settings, size_t body) {
  char number[32] = "";
  char path[PATH_LIMIT + 1];
  if (body > 0) snprintf(number, sizeof number, "%zu", body);
  snprintf(path, sizeof path, "%s", settings->path);
  char* query = strchr(path, '?');
  if (query != NULL) *query++ = '\0';
  const char* const variables[][2] = {
      {"QUERY_STRING", query == NULL ? "" : query},
      {"REQUEST_METHOD", settings->method},
      {"CONTENT_TYPE", ""},
      {"CONTENT_LENGTH", number},
      {"REQUEST_URI", settings->path},
      {"PATH_INFO", path},
      {"DOCUMENT_ROOT", "/usr/share/nginx/html"},
      {"SERVER_PROTOCOL", "HTTP/1.1"},
      {"REQUEST_SCHEME", "http"},
      {"REMOTE_ADDR", "127.0.0.1"},
      {"REMOTE_PORT", "40000"},
      {"SERVER_PORT", "80"},
      {"SERVER_NAME", "localhost"},
      {"HTTP_HOST", "localhost"},
  };
  char* at = head + UWSGI_HEADER_LENGTH;
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    add_text(&at, variables[i][0]);
    add_text(&at, variables[i][1]);
  }
  size_t length = (size_t)(at - head) - UWSGI_HEADER_LENGTH;
  head[0] = head[3] = 0;
  head[1] = (char)(length & 0xff);
  head[2] = (char)(length >> 8);
  return (size_t)(at - head);
}

static char* read_file(const char* path, size_t* length) {
  FILE* file = fopen(path, "rb");
  struct stat status;
  if (file == NULL || fstat(fileno(file), &status) < 0) die(path, errno);
  *length = (size_t)status.st_size;
  char* data = allocate(*length + 1, 1);
  if (fread(data, 1, *length, file) != *length) fail("%s: it can't be read whole", path);
  fclose(file);
  return data;
}

void http_request_make(struct http_request* request, const struct settings* settings) {
  char head[HEAD_CAPACITY];
  char* body = NULL;
  size_t body_length = 0;
  if (settings->upload) {
    body_length = settings->bytes;
    body = pattern_create(body_length);
  } else if (settings->file != NULL) {
    body = read_file(settings->file, &body_length);
  }
  size_t head_length =
      settings->uwsgi ? make_uwsgi_head(head, settings, body_length) : make_http_head(head, settings, body_length);
  request->length = head_length + body_length;
  request->data = allocate(request->length, 1);
  memcpy(request->data, head, head_length);
  if (body != NULL) memcpy(request->data + head_length, body, body_length);
  free(body);
}
