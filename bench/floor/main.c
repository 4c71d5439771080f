// The floor: the bench's work in plain C, which is the limit of the host, and the bench's load generator.
#include <string.h>

#include "client.h"
#include "report.h"
#include "server.h"
#include "settings.h"
#include "sys.h"

struct work {
  const char* case_name;
  const struct service* service;  // NULL: the servers are others
  const struct load* load;
};

static const struct work works[] = {
    {"rtt", &service_echo, &load_echo},
    {"pipeline", &service_messages, &load_pipeline},
    {"bulk", &service_sink, &load_bulk},
    {"fanin", &service_echo, &load_echo},
    {"growth", &service_echo, &load_echo},
    {"churn", &service_echo, &load_churn},
    {"http", &service_http, &load_http},
    {"http-close", &service_http, &load_http},
    {"http-body", &service_http, &load_http},
    {"idle", &service_echo, &load_idle},
    {"file", &service_body, &load_http},
    {"http-same", &service_body, &load_http},
    {"page", &service_body, &load_http},
    {"relay", &service_relay, &load_relay},
    {"crowd", &service_body, &load_crowd},
    {"cost", &service_http, &load_cost},
    {"load", NULL, &load_cost},
};

// Descriptors besides the connections: standard streams, queue, timers, signal pipe, listener.
enum { OTHER_DESCRIPTORS = 16 };

static const struct service* service_of(const struct work* work, const struct settings* settings) {
  // What goes down is a body that the server has, what goes up one that it reads.
  bool down = strcmp(work->case_name, "http-body") == 0 && !settings->upload;
  return down ? &service_body : work->service;
}

int main(int count, char** words) {
  struct settings settings;
  settings_parse(&settings, count, words);
  uint64_t limit = sys_raise_descriptor_limit();
  size_t connections = settings.connections + settings.idle;
  if (settings.role == ROLE_LOAD && connections + OTHER_DESCRIPTORS > limit) {
    fail("%zu connections need more descriptors than the limit of %llu (ulimit -n)", connections,
         (unsigned long long)limit);
  }
  for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
    if (strcmp(works[i].case_name, settings.case_name) != 0) continue;
    if (settings.role == ROLE_SERVE) {
      if (works[i].service == NULL) usage("case %s is for load only", settings.case_name);
      server_run(&settings, service_of(&works[i], &settings));
    } else {
      client_run(&settings, works[i].load);
    }
  }
  return 0;
}
