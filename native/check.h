// Invariants, checked in builds with assertions (build:debug, and the variants that CI tests).
#pragma once

#ifdef NEARWIRE_ASSERTIONS
#include <cstdio>
#include <cstdlib>
#define NEARWIRE_CHECK(condition)                                                            \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "nearwire: %s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
#else
#define NEARWIRE_CHECK(condition) static_cast<void>(0)
#endif
