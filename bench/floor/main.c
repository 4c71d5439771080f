// The floor: the bench's work in plain C, which is the limit of the host, and the bench's load generator.
#include "client.h"
#include "process.h"
#include "server.h"
#include "settings.h"
#include "sys.h"

// Descriptors besides the connections: standard streams, queue, timers, listener.
enum { OTHER_DESCRIPTORS = 16 };

int main(int count, char** words) {
  struct settings settings;
  settings_parse(&settings, count, words);
  uint64_t limit = sys_raise_descriptor_limit();
  if (!settings.loads) {
    server_run(&settings);
    return 0;
  }
  size_t connections = settings.connections + settings.idle;
  if (connections + OTHER_DESCRIPTORS > limit) {
    fail("%zu connections need more descriptors than the limit of %llu (ulimit -n)", connections,
         (unsigned long long)limit);
  }
  client_run(&settings);
  return 0;
}
