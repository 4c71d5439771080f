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

enum kind {
  WHOLE,    // a number
  DECIMAL,  // also one
  CHOICE,   // one of some words
  TEXT,
  IGNORED,  // the case, which is looked at first, and what the handlers of other servers do
};

struct option {
  const char* name;
  enum kind kind;
  size_t place;
  const char* words[4];
};

#define PLACE(member) offsetof(struct settings, member)

static const struct option options[] = {
    {"--family", CHOICE, PLACE(tcp), {"unix", "tcp"}},
    {"--address", TEXT, PLACE(address), {0}},
    {"--bytes", WHOLE, PLACE(bytes), {0}},
    {"--window", WHOLE, PLACE(window), {0}},
    {"--connections", WHOLE, PLACE(connections), {0}},
    {"--idle", WHOLE, PLACE(idle), {0}},
    {"--body", WHOLE, PLACE(answer), {0}},
    {"--answer", WHOLE, PLACE(answer), {0}},
    {"--keep-alive", WHOLE, PLACE(keep_alive), {0}},
    {"--way", CHOICE, PLACE(upload), {"download", "upload"}},
    {"--any-answer", WHOLE, PLACE(any_answer), {0}},
    {"--copy", WHOLE, PLACE(copy), {0}},
    {"--file", TEXT, PLACE(file), {0}},
    {"--path", TEXT, PLACE(path), {0}},
    {"--protocol", CHOICE, PLACE(uwsgi), {"http", "uwsgi"}},
    {"--rate", DECIMAL, PLACE(rate), {0}},
    {"--arrival", CHOICE, PLACE(arrival), {"even", "poisson", "burst"}},
    {"--seed", WHOLE, PLACE(seed), {0}},
    {"--seconds", DECIMAL, PLACE(seconds), {0}},
    {"--warmup", DECIMAL, PLACE(warmup), {0}},
    {"--patience", DECIMAL, PLACE(patience), {0}},
    {"--case", IGNORED, 0, {0}},
    {"--compute", IGNORED, 0, {0}},
    {"--json", IGNORED, 0, {0}},
    {"--heap", IGNORED, 0, {0}},
};

struct settings settings;

static int choice(const struct option* option, const char* value) {
  for (int i = 0; option->words[i] != NULL; i++) {
    if (strcmp(option->words[i], value) == 0) return i;
  }
  errx(EXIT_FAILURE, "%s %s: not one of its words", option->name, value);
}

static void set(const struct option* option, const char* value) {
  void* place = (char*)&settings + option->place;
  char* end = "";
  if (option->kind == WHOLE) *(size_t*)place = strtoull(value, &end, 10);
  if (option->kind == DECIMAL) *(double*)place = strtod(value, &end);
  if (option->kind == CHOICE) *(int*)place = choice(option, value);
  if (option->kind == TEXT) *(const char**)place = value;
  if (*end != '\0') errx(EXIT_FAILURE, "%s %s: no number", option->name, value);
}

static const struct option* option_named(const char* name) {
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    if (strcmp(options[i].name, name) == 0) return &options[i];
  }
  errx(EXIT_FAILURE, "unknown option %s", name);
}

static const struct floor_case* case_named(const char* name) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (strcmp(cases[i].name, name) == 0) return &cases[i];
  }
  errx(EXIT_FAILURE, "unknown case %s", name);
}

void settings_parse(char** words) {
  settings = (struct settings){.bytes = 64, .window = 1, .connections = 1, .answer = ANY_LENGTH, .keep_alive = 1};
  settings.path = "/";
  settings.seconds = 1;
  // Far above what any server needs for a few operations; it only bounds the wait for one that hangs.
  settings.patience = 10;
  for (; words[0] != NULL && words[1] != NULL; words += 2) {
    set(option_named(words[0]), words[1]);
    if (strcmp(words[0], "--case") == 0) settings.of = case_named(words[1]);
  }
  if (settings.of == NULL || settings.address == NULL) errx(EXIT_FAILURE, "--case and --address are needed");
  settings.content = settings.of->content;
  // An upload is answered with a word, whatever goes down in that case.
  if (settings.upload) {
    settings.content = CONTENT_SAME;
    settings.answer = 2;
  }
  if (settings.content != CONTENT_SAME) settings.answer = settings.bytes;
  if (settings.content >= CONTENT_FILE) settings.path = "/body";
  // A packet of uwsgi has a connection of its own.
  if (settings.uwsgi) settings.keep_alive = 0;
  net_parse(settings.tcp, settings.address);
}
