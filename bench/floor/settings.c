#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "process.h"
#include "server.h"

static const char synopsis[] =
    "floor serve|load --case CASE --family unix|tcp --address ADDRESS [--bytes N] [--window N] [--connections N] "
    "[--idle N] [--body N] [--answer N] [--keep-alive 0|1] [--way download|upload] [--any-answer 0|1] [--copy 0|1] "
    "[--file PATH] [--method WORD] [--path PATH] [--protocol http|uwsgi] [--rate N] [--arrival even|poisson|burst] "
    "[--seed N] [--seconds S] [--warmup S] [--patience S] [--compute MS] [--json N] [--heap N]";

static const struct floor_case cases[] = {
    {"rtt", &service_echo, &load_echo, CONTENT_HELLO, 64, 1},
    {"pipeline", &service_messages, &load_pipeline, CONTENT_HELLO, 64, 1},
    {"bulk", &service_sink, &load_bulk, CONTENT_HELLO, 65536, 1},
    {"fanin", &service_echo, &load_echo, CONTENT_HELLO, 64, 64},
    {"growth", &service_echo, &load_echo, CONTENT_HELLO, 64, 16},
    {"churn", &service_echo, &load_churn, CONTENT_HELLO, 64, 16},
    {"idle", &service_echo, &load_idle, CONTENT_HELLO, 64, 10000},
    {"http", &service_http, &load_http, CONTENT_HELLO, 64, 32},
    {"http-close", &service_http, &load_http, CONTENT_HELLO, 64, 32},
    {"http-body", &service_http, &load_http, CONTENT_NUMBERED, 65536, 8},
    {"http-same", &service_http, &load_http, CONTENT_PAGE, 65536, 8},
    {"file", &service_http, &load_http, CONTENT_FILE, 65536, 8},
    {"page", &service_http, &load_http, CONTENT_PAGE, 65536, 8},
    {"crowd", &service_http, &load_crowd, CONTENT_PAGE, 1048576, 10000},
    {"relay", &service_relay, &load_relay, CONTENT_HELLO, 65536, 8},
    {"cost", &service_http, &load_cost, CONTENT_ANY, 64, 32},
    {"load", NULL, &load_cost, CONTENT_ANY, 64, 64},
};

enum kind {
  WHOLE,    // a number
  DECIMAL,  // also one
  CHOICE,   // one of some words
  TEXT,
  TOKEN,    // text of the request's first line: it must not end that line, nor the word
  IGNORED,  // the case, which is looked at first, and what the handlers of other servers do
};

struct option {
  const char* name;
  enum kind kind;
  size_t place;
  double lowest;
  double highest;  // of a token: its length
  const char* words[4];
};

#define PLACE(member) offsetof(struct settings, member)

// Larger values are a slip of the finger rather than a load: a buffer of that size is allocated.
static const struct option options[] = {
    {"--family", CHOICE, PLACE(tcp), 0, 0, {"unix", "tcp"}},
    {"--address", TEXT, PLACE(address), 0, 0, {0}},
    {"--bytes", WHOLE, PLACE(bytes), 1, 1 << 30, {0}},
    {"--window", WHOLE, PLACE(window), 1, 1 << 20, {0}},
    {"--connections", WHOLE, PLACE(connections), 1, 1 << 20, {0}},
    {"--idle", WHOLE, PLACE(idle), 0, 1 << 20, {0}},
    {"--body", WHOLE, PLACE(body), 0, 1 << 30, {0}},
    {"--answer", WHOLE, PLACE(answer), 0, 1 << 30, {0}},
    {"--keep-alive", CHOICE, PLACE(keep_alive), 0, 0, {"0", "1"}},
    {"--way", CHOICE, PLACE(upload), 0, 0, {"download", "upload"}},
    {"--any-answer", CHOICE, PLACE(any_answer), 0, 0, {"0", "1"}},
    {"--copy", CHOICE, PLACE(copy), 0, 0, {"0", "1"}},
    {"--file", TEXT, PLACE(file), 0, 0, {0}},
    {"--method", TOKEN, PLACE(method), 1, METHOD_LIMIT, {0}},
    {"--path", TOKEN, PLACE(path), 1, PATH_LIMIT, {0}},
    {"--protocol", CHOICE, PLACE(uwsgi), 0, 0, {"http", "uwsgi"}},
    {"--rate", DECIMAL, PLACE(rate), 0, 1e7, {0}},
    {"--arrival", CHOICE, PLACE(arrival), 0, 0, {"even", "poisson", "burst"}},
    {"--seed", WHOLE, PLACE(seed), 0, UINT32_MAX, {0}},
    {"--seconds", DECIMAL, PLACE(seconds), 0, 3600, {0}},
    {"--warmup", DECIMAL, PLACE(warmup), 0, 3600, {0}},
    {"--patience", DECIMAL, PLACE(patience), 0, 3600, {0}},
    {"--case", IGNORED, 0, 0, 0, {0}},
    {"--compute", IGNORED, 0, 0, 0, {0}},
    {"--json", IGNORED, 0, 0, 0, {0}},
    {"--heap", IGNORED, 0, 0, 0, {0}},
};

static double number(const struct option* option, const char* value) {
  char* end;
  double number = strtod(value, &end);
  bool right = end != value && *end == '\0' && number >= option->lowest && number <= option->highest;
  if (option->kind == WHOLE && strspn(value, "0123456789") < strlen(value)) right = false;
  if (!right) {
    usage("%s %s: a %snumber from %.0f to %.0f is needed", option->name, value, option->kind == WHOLE ? "whole " : "",
          option->lowest, option->highest);
  }
  return number;
}

static int choice(const struct option* option, const char* value) {
  for (int i = 0; option->words[i] != NULL; i++) {
    if (strcmp(option->words[i], value) == 0) return i;
  }
  usage("%s %s: not one of its words\nusage: %s", option->name, value, synopsis);
}

static const char* text(const struct option* option, const char* value) {
  if (option->kind == TEXT) return value;
  double length = (double)strlen(value);
  for (const char* at = value; *at != '\0'; at++) {
    if (*at <= ' ' || *at == 0x7f) usage("%s %s: no spaces and control characters", option->name, value);
  }
  if (length < option->lowest || length > option->highest) {
    usage("%s: from %.0f to %.0f bytes are needed", option->name, option->lowest, option->highest);
  }
  return value;
}

static void set(struct settings* settings, const struct option* option, const char* value) {
  void* place = (char*)settings + option->place;
  if (option->kind == WHOLE) *(size_t*)place = (size_t)number(option, value);
  if (option->kind == DECIMAL) *(double*)place = number(option, value);
  if (option->kind == CHOICE) *(int*)place = choice(option, value);
  if (option->kind == TEXT || option->kind == TOKEN) *(const char**)place = text(option, value);
}

static const struct option* option_named(const char* name) {
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    if (strcmp(options[i].name, name) == 0) return &options[i];
  }
  usage("unknown option %s\nusage: %s", name, synopsis);
}

static const struct floor_case* case_of(int count, char** words) {
  const char* name = NULL;
  for (int i = 2; i + 1 < count; i += 2) {
    if (strcmp(words[i], "--case") == 0) name = words[i + 1];
  }
  if (name == NULL) usage("--case is missing\nusage: %s", synopsis);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (strcmp(cases[i].name, name) == 0) return &cases[i];
  }
  usage("unknown case %s", name);
}

static void check(const struct settings* settings) {
  const char* name = settings->of->name;
  if (settings->tcp < 0 || settings->address == NULL) usage("--family and --address are needed\nusage: %s", synopsis);
  if (!settings->loads && settings->of->service == NULL) usage("case %s is for load only", name);
  if (!settings->loads && settings->content == CONTENT_FILE && settings->file == NULL) usage("--file is needed");
  if (settings->content == CONTENT_NUMBERED && settings->bytes < sizeof(uint32_t)) {
    usage("case %s: --bytes is at least %zu downwards, for a number", name, sizeof(uint32_t));
  }
  if (settings->of->load == &load_relay && settings->connections % 2 != 0) {
    usage("case %s: --connections is even, as they go in pairs", name);
  }
}

void settings_parse(struct settings* settings, int count, char** words) {
  static const struct option role = {"the role", CHOICE, PLACE(loads), 0, 0, {"serve", "load"}};
  if (count < 2) usage("a role is missing\nusage: %s", synopsis);
  const struct floor_case* of = case_of(count, words);
  *settings = (struct settings){.of = of, .tcp = -1, .method = "GET", .path = "/", .seconds = 1, .warmup = 0.2};
  // Far above what any server needs for a few operations; it only bounds the wait for one that hangs.
  settings->patience = 10;
  settings->bytes = of->bytes;
  settings->connections = of->connections;
  settings->content = of->content;
  settings->window = of->load == &load_pipeline ? 256 : 1;
  settings->keep_alive = strcmp(of->name, "http-close") != 0;
  settings->body = 12;
  settings->answer = ANY_LENGTH;
  set(settings, &role, words[1]);
  for (int i = 2; i < count; i += 2) {
    if (i + 1 == count) usage("%s: a value is missing", words[i]);
    set(settings, option_named(words[i]), words[i + 1]);
  }
  // An upload is answered with a word, whatever goes down in that case.
  if (settings->upload) {
    settings->content = CONTENT_HELLO;
    settings->method = "POST";
  }
  if (settings->content == CONTENT_HELLO) settings->answer = settings->upload ? 2 : settings->body;
  if (settings->content >= CONTENT_NUMBERED) settings->answer = settings->bytes;
  if (settings->content >= CONTENT_FILE) settings->path = "/body";
  // A packet of uwsgi has a connection of its own.
  if (settings->uwsgi) settings->keep_alive = 0;
  check(settings);
  endpoint_parse(&settings->endpoint, settings->tcp, settings->address);
}
