#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client.h"
#include "http.h"
#include "pattern.h"

// A browser asks for a connection to be kept by HTTP/1.1. Of those for one request each, `cost` has nginx 1.26's way.
static void write_http_head(FILE* out, size_t body) {
  bool http_1_0 = !settings.keep_alive && settings.of->load == &load_cost;
  const char* method = body > 0 ? "POST" : "GET";
  fprintf(out, "%s %s HTTP/1.%d\r\nHost: localhost\r\n", method, settings.path, http_1_0 ? 0 : 1);
  if (body > 0) fprintf(out, "Content-Length: %zu\r\n", body);
  fprintf(out, "%s\r\n", settings.keep_alive ? "" : "Connection: close\r\n");
}

static void write_text(FILE* out, const char* text) {
  size_t length = strlen(text);
  fprintf(out, "%c%c%s", (int)(length & 0xff), (int)(length >> 8), text);
}

// The variables of Debian's uwsgi_params, in nginx's order, behind room for the header. They have no body.
static void write_uwsgi_head(FILE* out) {
  char* path = strdup(settings.path);
  char* query = path + strcspn(path, "?");
  if (*query != '\0') *query++ = '\0';
  const char* const variables[] = {
      "QUERY_STRING",    query,
      "REQUEST_METHOD",  "GET",
      "CONTENT_TYPE",    "",
      "CONTENT_LENGTH",  "",
      "REQUEST_URI",     settings.path,
      "PATH_INFO",       path,
      "DOCUMENT_ROOT",   "/usr/share/nginx/html",
      "SERVER_PROTOCOL", "HTTP/1.1",
      "REQUEST_SCHEME",  "http",
      "REMOTE_ADDR",     "127.0.0.1",
      "REMOTE_PORT",     "40000",
      "SERVER_PORT",     "80",
      "SERVER_NAME",     "localhost",
      "HTTP_HOST",       "localhost",
  };
  fwrite("\0\0\0", 1, UWSGI_HEADER_LENGTH, out);
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) write_text(out, variables[i]);
  free(path);
}

static char* read_file(const char* path, size_t* length) {
  FILE* file = fopen(path, "rb");
  struct stat status;
  if (file == NULL || fstat(fileno(file), &status) < 0) err(EXIT_FAILURE, "%s", path);
  *length = (size_t)status.st_size;
  char* data = allocate(*length + 1);
  if (fread(data, 1, *length, file) != *length) errx(EXIT_FAILURE, "%s: it can't be read whole", path);
  fclose(file);
  return data;
}

struct http_request http_request_make(void) {
  struct http_request request;
  char* body = NULL;
  size_t body_length = 0;
  if (settings.upload) {
    body_length = settings.bytes;
    body = pattern_create(body_length);
  } else if (settings.file != NULL) {
    body = read_file(settings.file, &body_length);
  }
  FILE* out = open_memstream(&request.data, &request.length);
  if (settings.uwsgi) {
    write_uwsgi_head(out);
  } else {
    write_http_head(out, body_length);
    if (body != NULL) fwrite(body, 1, body_length, out);
  }
  if (fclose(out) != 0) err(EXIT_FAILURE, "the request");
  if (settings.uwsgi) {
    size_t length = request.length - UWSGI_HEADER_LENGTH;
    request.data[1] = (char)(length & 0xff);
    request.data[2] = (char)(length >> 8);
  }
  free(body);
  return request;
}
