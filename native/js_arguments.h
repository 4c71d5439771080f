// Plain values of a call from JS. What is of another type gives a value that is refused further in.
#pragma once

#include <napi.h>

#include <cstdint>

namespace nearwire {

inline Napi::Value number(const Napi::CallbackInfo& info, double value) { return Napi::Number::New(info.Env(), value); }

inline int32_t integer(const Napi::CallbackInfo& info, size_t argument) {
  int32_t value = -1;
  napi_get_value_int32(info.Env(), info[argument], &value);
  return value;
}

inline uint64_t count(const Napi::CallbackInfo& info, size_t argument) {
  int64_t value = 0;
  napi_get_value_int64(info.Env(), info[argument], &value);
  return static_cast<uint64_t>(value);
}

inline bool boolean(const Napi::CallbackInfo& info, size_t argument) { return info[argument].ToBoolean().Value(); }

}  // namespace nearwire
