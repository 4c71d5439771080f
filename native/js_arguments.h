// Plain values of a call from JS. What is of another type gives a value that is refused further in.
#pragma once

#include <napi.h>

#include <cstdint>

namespace nearwire {

inline Napi::Value number(const Napi::CallbackInfo& info, double value) { return Napi::Number::New(info.Env(), value); }

// -1 for what is no number, or does not fit: another conversion would make an id of it that is somebody's.
inline int32_t integer(const Napi::CallbackInfo& info, size_t argument) {
  double value = -1;
  napi_get_value_double(info.Env(), info[argument], &value);
  return value >= INT32_MIN && value <= INT32_MAX ? static_cast<int32_t>(value) : -1;
}

inline uint64_t count(const Napi::CallbackInfo& info, size_t argument) {
  int64_t value = 0;
  napi_get_value_int64(info.Env(), info[argument], &value);
  return static_cast<uint64_t>(value);
}

// As JS converts it; false in an environment that is being terminated.
inline bool truth(napi_env env, napi_value value) {
  napi_value converted = nullptr;
  bool result = false;
  return napi_coerce_to_bool(env, value, &converted) == napi_ok &&
         napi_get_value_bool(env, converted, &result) == napi_ok && result;
}

inline bool boolean(const Napi::CallbackInfo& info, size_t argument) { return truth(info.Env(), info[argument]); }

}  // namespace nearwire
