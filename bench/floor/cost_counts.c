#include "cost_counts.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

void cost_counts_error(uint64_t* counts, int error) {
  size_t at = error < 0 || error >= COST_ERRORS ? COST_ERRORS - 1 : (size_t)error;
  counts[at]++;
}

static void print_number(const char* name, uint64_t number) { printf(",\"%s\":%" PRIu64, name, number); }

static void print_table(const char* name, const uint64_t* counts, size_t size) {
  const char* comma = "";
  printf(",\"%s\":{", name);
  for (size_t i = 0; i < size; i++) {
    if (counts[i] == 0) continue;
    printf("%s\"%zu\":%" PRIu64, comma, i, counts[i]);
    comma = ",";
  }
  fputs("}", stdout);
}

void cost_counts_print(const struct cost_counts* counts) {
  print_number("begun", counts->begun);
  print_number("inTime", counts->in_time);
  print_table("statuses", counts->statuses, COST_STATUSES);
  print_table("connectErrors", counts->connect_errors, COST_ERRORS);
  print_table("broken", counts->broken, COST_ERRORS);
  print_number("malformed", counts->malformed);
  print_number("unsent", counts->unsent);
  print_number("unanswered", counts->unanswered);
  print_number("opened", counts->opened);
}
