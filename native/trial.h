// Each call of the system that the engine rests on, made once: what a sandbox or an old kernel refuses is seen here
// before it is met under load.
#pragma once

#include <string>
#include <vector>

namespace nearwire {

struct Trial {
  // As the system names it.
  const char* call;
  // 0 or a negative errno.
  int outcome;
};

// The path must be free, and is left behind. A call whose operands could not be had is not among the results.
std::vector<Trial> try_calls(const std::string& path);

}  // namespace nearwire
