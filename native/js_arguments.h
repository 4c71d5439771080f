// Plain values of a call from JavaScript. A value of another type becomes one that is rejected further in.
#pragma once

#include <napi.h>

#include <cstdint>

namespace nearwire {

inline Napi::Value number(const Napi::CallbackInfo& info, double value) { return Napi::Number::New(info.Env(), value); }

// -1 for anything that is not a number, or does not fit: another conversion could turn it into the id of another
// object.
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

// JavaScript's conversion; false in an environment that is being terminated.
inline bool truth(napi_env env, napi_value value) {
  napi_value converted = nullptr;
  bool result = false;
  return napi_coerce_to_bool(env, value, &converted) == napi_ok &&
         napi_get_value_bool(env, converted, &result) == napi_ok && result;
}

inline bool boolean(const Napi::CallbackInfo& info, size_t argument) { return truth(info.Env(), info[argument]); }

}  // namespace nearwire
