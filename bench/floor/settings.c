#include "settings.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "server.h"

static const struct floor_case cases[] = {
    {"rtt", &service_echo, &load_echo, CONTENT_SAME},        {"pipeline", &service_messages, &load_echo, CONTENT_SAME},
    {"bulk", &service_sink, &load_bulk, CONTENT_SAME},       {"fanin", &service_echo, &load_echo, CONTENT_SAME},
    {"growth", &service_echo, &load_echo, CONTENT_SAME},     {"churn", &service_echo, &load_churn, CONTENT_SAME},
    {"idle", &service_echo, &load_echo, CONTENT_SAME},       {"http", &service_http, &load_http, CONTENT_SAME},
    {"http-close", &service_http, &load_http, CONTENT_SAME}, {"http-body", &service_http, &load_http, CONTENT_NUMBERED},
    {"http-same", &service_http, &load_http, CONTENT_PAGE},  {"file", &service_http, &load_http, CONTENT_FILE},
    {"page", &service_http, &load_http, CONTENT_PAGE},       {"crowd", &service_http, &load_crowd, CONTENT_PAGE},
    {"relay", &service_relay, &load_relay, CONTENT_SAME},    {"cost", &service_http, &load_cost, CONTENT_SAME},
    {"load", &service_http, &load_cost, CONTENT_SAME},
};

struct settings settings;

static char** words;

// The last of several options with one name. Options for other servers' handlers are present too, and ignored.
static const char* text(const char* name, const char* otherwise) {
  const char* value = otherwise;
  for (char** word = words; word[0] != NULL && word[1] != NULL; word += 2) {
    if (strcmp(word[0], name) == 0) value = word[1];
  }
  return value;
}

static bool is(const char* name, const char* word) { return strcmp(text(name, ""), word) == 0; }

// 2^53, up to which integers are exact.
static const double MOST = 9007199254740992;

static double decimal(const char* name, double otherwise) {
  const char* value = text(name, NULL);
  if (value == NULL) return otherwise;
  char* end;
  double number = strtod(value, &end);
  if (end == value || *end != '\0' || !(number >= 0 && number <= MOST))
    errx(EXIT_FAILURE, "%s: no number: %s", name, value);
  return number;
}

static size_t whole(const char* name, size_t otherwise) {
  double number = decimal(name, -1);
  return number < 0 ? otherwise : (size_t)number;
}

static const struct floor_case* case_named(const char* name) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (strcmp(cases[i].name, name) == 0) return &cases[i];
  }
  errx(EXIT_FAILURE, "unknown case \"%s\"", name);
}

void settings_parse(char** behind_role) {
  words = behind_role;
  for (char** word = words; word[0] != NULL; word += 2) {
    if (strncmp(word[0], "--", 2) != 0 || word[1] == NULL)
      errx(EXIT_FAILURE, "no pair of a name and a value: %s", word[0]);
  }
  settings = (struct settings){
      .of = case_named(text("--case", "")),
      .bytes = whole("--bytes", 64),
      .window = whole("--window", 1),
      .connections = whole("--connections", 1),
      .idle = whole("--idle", 0),
      .answer = whole("--answer", whole("--body", ANY_LENGTH)),
      .keep_alive = whole("--keep-alive", 1) != 0,
      .upload = is("--way", "upload"),
      .any_answer = is("--any-answer", "1"),
      .copy = is("--copy", "1"),
      .file = text("--file", NULL),
      .request = text("--request", NULL),
      .path = text("--path", "/"),
      .uwsgi = is("--protocol", "uwsgi"),
      .rate = decimal("--rate", 0),
      .arrival = is("--arrival", "poisson") ? ARRIVAL_POISSON
                 : is("--arrival", "burst") ? ARRIVAL_BURST
                                            : ARRIVAL_EVEN,
      .seed = whole("--seed", 0),
      .seconds = decimal("--seconds", 1),
      .warmup = decimal("--warmup", 0),
      // Far above what any server needs for a few operations; it only limits the wait for one that hangs.
      .patience = decimal("--patience", 10),
  };
  settings.content = settings.of->content;
  // An upload gets a short response, whatever the case's downloads are.
  if (settings.upload) {
    settings.content = CONTENT_SAME;
    settings.answer = 2;
  }
  if (settings.content != CONTENT_SAME) settings.answer = settings.bytes;
  if (settings.content >= CONTENT_FILE) settings.path = "/body";
  settings.address = text("--address", "");
  settings.tcp = is("--family", "tcp");
  net_parse(settings.tcp, settings.address);
}
