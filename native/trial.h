// Makes each system call that the engine relies on once: what a sandbox or an old kernel refuses shows here, before it
// is met under load.
#pragma once

#include <string>
#include <vector>

namespace nearwire {

struct Trial {
  // The system's name of the call.
  const char* call;
  // 0 or a negative errno.
  int outcome;
};

// The path must be unused; its file remains. Calls whose operands could not be made are not in the results.
std::vector<Trial> try_calls(const std::string& path);

}  // namespace nearwire
