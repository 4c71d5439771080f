#include "settings.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static const char synopsis[] =
    "floor serve|load --case CASE --family unix|tcp --address ADDRESS [--bytes N] [--window N] [--connections N] "
    "[--idle N] [--body N] [--keep-alive 0|1] [--way download|upload] [--any-answer 0|1] [--copy 0|1] [--file PATH] "
    "[--seconds S] "
    "[--warmup S] [--patience S] [--method WORD] [--path PATH] [--protocol http|uwsgi] [--request N] [--answer N] "
    "[--rate N] [--arrival even|poisson|burst] [--seed N] [--compute MS] [--json N] [--heap N]";

// Sizes that are a slip of the finger rather than a load: a buffer of that size is allocated.
static const size_t LARGEST_MESSAGE = 1u << 30;
static const size_t LARGEST_WINDOW = 1u << 20;
static const size_t MOST_CONNECTIONS = 1u << 20;
static const double LONGEST_STRETCH = 3600;
static const size_t METHOD_LIMIT = 16;
static const double HIGHEST_RATE = 1e7;
static const size_t LARGEST_SEED = UINT32_MAX;

struct defaults {
  const char* case_name;
  size_t bytes;
  size_t window;
  size_t connections;
  bool keep_alive;
};

static const struct defaults cases[] = {
    {"rtt", 64, 1, 1, true},      {"pipeline", 64, 256, 1, true},   {"bulk", 65536, 1, 1, true},
    {"fanin", 64, 1, 64, true},   {"growth", 64, 1, 16, true},      {"churn", 64, 1, 16, true},
    {"http", 64, 1, 32, true},    {"http-close", 64, 1, 32, false}, {"http-body", 65536, 1, 8, true},
    {"idle", 64, 1, 10000, true}, {"file", 65536, 1, 8, true},      {"http-same", 65536, 1, 8, true},
    {"page", 65536, 1, 8, true},  {"relay", 65536, 1, 8, true},     {"crowd", 1048576, 1, 10000, true},
    {"cost", 64, 1, 32, true},    {"load", 64, 1, 64, true},
};

static size_t whole(const char* option, const char* value, size_t lowest, size_t highest) {
  char* end;
  errno = 0;
  unsigned long long number = strtoull(value, &end, 10);
  bool digits = *value >= '0' && *value <= '9' && *end == '\0' && errno == 0;
  if (!digits || number < lowest || number > highest) {
    usage("%s %s: a whole number from %zu to %zu is needed", option, value, lowest, highest);
  }
  return (size_t)number;
}

static int64_t nanoseconds(const char* option, const char* value) {
  char* end;
  double seconds = strtod(value, &end);
  if (end == value || *end != '\0' || !(seconds >= 0 && seconds <= LONGEST_STRETCH)) {
    usage("%s %s: seconds from 0 to %.0f are needed", option, value, LONGEST_STRETCH);
  }
  return (int64_t)(seconds * 1e9);
}

static double requests_a_second(const char* option, const char* value) {
  char* end;
  double rate = strtod(value, &end);
  if (end == value || *end != '\0' || !(rate >= 0 && rate <= HIGHEST_RATE)) {
    usage("%s %s: requests a second from 0 to %.0f are needed", option, value, HIGHEST_RATE);
  }
  return rate;
}

// A word of the request's first line: it must not end that line, nor the word.
static const char* line_word(const char* option, const char* value, size_t limit) {
  size_t length = strlen(value);
  if (length == 0 || length > limit) usage("%s: from 1 to %zu bytes are needed", option, limit);
  for (size_t i = 0; i < length; i++) {
    if (value[i] <= ' ' || value[i] == 0x7f) usage("%s %s: no spaces and control characters", option, value);
  }
  return value;
}

// Which of two words the value is: false for the first, true for the second.
static bool either(const char* option, const char* value, const char* first, const char* second) {
  if (strcmp(value, first) == 0) return false;
  if (strcmp(value, second) == 0) return true;
  usage("%s %s: %s or %s is needed", option, value, first, second);
}

static enum arrival arrival_of(const char* option, const char* value) {
  if (strcmp(value, "even") == 0) return ARRIVAL_EVEN;
  return either(option, value, "poisson", "burst") ? ARRIVAL_BURST : ARRIVAL_POISSON;
}

struct words {
  const char* family;
  const char* address;
  const char* keep_alive;
};

static bool take_number(struct settings* settings, const char* option, const char* value) {
  if (strcmp(option, "--bytes") == 0) {
    settings->bytes = whole(option, value, 1, LARGEST_MESSAGE);
  } else if (strcmp(option, "--window") == 0) {
    settings->window = whole(option, value, 1, LARGEST_WINDOW);
  } else if (strcmp(option, "--connections") == 0) {
    settings->connections = whole(option, value, 1, MOST_CONNECTIONS);
  } else if (strcmp(option, "--idle") == 0) {
    settings->idle = whole(option, value, 0, MOST_CONNECTIONS);
  } else if (strcmp(option, "--body") == 0) {
    settings->body = whole(option, value, 0, LARGEST_MESSAGE);
  } else if (strcmp(option, "--request") == 0) {
    settings->request = whole(option, value, 0, LARGEST_MESSAGE);
  } else if (strcmp(option, "--answer") == 0) {
    settings->answer = whole(option, value, 0, LARGEST_MESSAGE);
    settings->answer_known = true;
  } else if (strcmp(option, "--rate") == 0) {
    settings->rate = requests_a_second(option, value);
  } else if (strcmp(option, "--seed") == 0) {
    settings->seed = whole(option, value, 0, LARGEST_SEED);
  } else if (strcmp(option, "--patience") == 0) {
    settings->patience_ns = nanoseconds(option, value);
  } else if (strcmp(option, "--seconds") == 0) {
    settings->measured_ns = nanoseconds(option, value);
  } else if (strcmp(option, "--warmup") == 0) {
    settings->warmup_ns = nanoseconds(option, value);
  } else {
    return false;
  }
  return true;
}

// Words that are looked at together with others, when all have been read.
static const struct {
  const char* option;
  size_t place;
} later_words[] = {
    {"--family", offsetof(struct words, family)},
    {"--address", offsetof(struct words, address)},
    {"--keep-alive", offsetof(struct words, keep_alive)},
};

static bool take_for_later(struct words* words, const char* option, const char* value) {
  for (size_t i = 0; i < sizeof later_words / sizeof later_words[0]; i++) {
    if (strcmp(option, later_words[i].option) != 0) continue;
    *(const char**)((char*)words + later_words[i].place) = value;
    return true;
  }
  return false;
}

// The case has been read before; what the handler does is the server's.
static const char* const others_words[] = {"--case", "--compute", "--json", "--heap"};

static void take(struct settings* settings, struct words* words, const char* option, const char* value) {
  if (take_number(settings, option, value) || take_for_later(words, option, value)) return;
  for (size_t i = 0; i < sizeof others_words / sizeof others_words[0]; i++) {
    if (strcmp(option, others_words[i]) == 0) return;
  }
  if (strcmp(option, "--arrival") == 0) {
    settings->arrival = arrival_of(option, value);
  } else if (strcmp(option, "--way") == 0) {
    settings->upload = either(option, value, "download", "upload");
  } else if (strcmp(option, "--any-answer") == 0) {
    settings->any_answer = either(option, value, "0", "1");
  } else if (strcmp(option, "--copy") == 0) {
    settings->copy = either(option, value, "0", "1");
  } else if (strcmp(option, "--file") == 0) {
    settings->file = value;
  } else if (strcmp(option, "--method") == 0) {
    settings->method = line_word(option, value, METHOD_LIMIT);
  } else if (strcmp(option, "--path") == 0) {
    settings->path = line_word(option, value, COST_PATH_LIMIT);
  } else if (strcmp(option, "--protocol") == 0) {
    settings->uwsgi = either(option, value, "http", "uwsgi");
  } else {
    usage("unknown option %s\nusage: %s", option, synopsis);
  }
}

static void apply_case(struct settings* settings, int count, char** words) {
  for (int i = 2; i + 1 < count; i += 2) {
    if (strcmp(words[i], "--case") == 0) settings->case_name = words[i + 1];
  }
  if (settings->case_name == NULL) usage("--case is missing\nusage: %s", synopsis);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (strcmp(cases[i].case_name, settings->case_name) != 0) continue;
    settings->bytes = cases[i].bytes;
    settings->window = cases[i].window;
    settings->connections = cases[i].connections;
    settings->keep_alive = cases[i].keep_alive;
    return;
  }
  usage("unknown case %s", settings->case_name);
}

void settings_parse(struct settings* settings, int count, char** words) {
  *settings = (struct settings){.body = 12,
                                .measured_ns = 1000000000,
                                .warmup_ns = 200000000,
                                // Far above what any server needs for a few operations; it only bounds the wait for
                                // one that hangs.
                                .patience_ns = 10 * INT64_C(1000000000),
                                .method = "GET",
                                .path = "/"};
  if (count < 2) usage("a role is missing\nusage: %s", synopsis);
  settings->role = either("the role", words[1], "serve", "load") ? ROLE_LOAD : ROLE_SERVE;
  apply_case(settings, count, words);
  struct words given = {0};
  for (int i = 2; i < count; i += 2) {
    if (i + 1 == count) usage("%s: a value is missing", words[i]);
    take(settings, &given, words[i], words[i + 1]);
  }
  if (given.family == NULL || given.address == NULL) usage("--family and --address are needed\nusage: %s", synopsis);
  endpoint_parse(&settings->endpoint, either("--family", given.family, "unix", "tcp"), given.address);
  settings->warms_closed = strcmp(settings->case_name, "load") == 0;
  bool is_cost = strcmp(settings->case_name, "cost") == 0;
  bool keep_alive =
      given.keep_alive == NULL ? settings->keep_alive : either("--keep-alive", given.keep_alive, "0", "1");
  if (is_cost) {
    settings->keep_alive = keep_alive && !settings->uwsgi;
  } else if (keep_alive != settings->keep_alive) {
    usage("case %s: --keep-alive can only be %d", settings->case_name, settings->keep_alive);
  }
  bool is_file = strcmp(settings->case_name, "file") == 0;
  if (is_file && settings->role == ROLE_SERVE && settings->file == NULL) usage("case file: --file is needed");
  bool is_numbered = strcmp(settings->case_name, "http-body") == 0 && !settings->upload;
  if (is_numbered && settings->bytes < sizeof(uint32_t)) {
    usage("case http-body: --bytes is at least %zu downwards, for a number", sizeof(uint32_t));
  }
  if (strcmp(settings->case_name, "relay") == 0 && settings->connections % 2 != 0) {
    usage("case relay: --connections is even, as they go in pairs");
  }
  if (settings->idle > 0 && strcmp(settings->case_name, "growth") != 0) usage("--idle is for case growth");
  if (settings->window > LARGEST_MESSAGE / settings->bytes) usage("--window and --bytes: too large together");
}
