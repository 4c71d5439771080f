// In sanitizer builds only (binding.gyp): lets a test terminate a Worker within its n-th call of Node-API. From then on
// each such call fails and throws nothing, which no other test can cause at a chosen place. The linker redirects the
// calls that can fail like this to here (--wrap). See test/engine/worker-terminated.test.ts.
#include <fcntl.h>
#include <js_native_api.h>
#include <node_api.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

constexpr time_t kPatienceSeconds = 20;

time_t seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

}  // namespace

extern "C" napi_status __real_napi_new_instance(napi_env, napi_value, size_t, const napi_value*, napi_value*);

namespace {

// Reports through a file that the place is reached, and returns when the main thread has terminated this one.
void await_termination(napi_env env) {
  bool pending = true;
  if (napi_is_exception_pending(env, &pending) != napi_ok || pending) return;
  const int file = open(getenv("NEARWIRE_TERMINATE_FILE"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) abort();
  close(file);
  const time_t limit = seconds() + kPatienceSeconds;
  // No function is given: invalid as long as JavaScript may be called.
  while (__real_napi_new_instance(env, nullptr, 0, nullptr, nullptr) == napi_invalid_arg) {
    if (seconds() > limit) abort();
    sched_yield();
  }
}

void gate(napi_env env) {
  static thread_local long left = -1;
  if (left < 0) {
    const char* at = gettid() == getpid() ? nullptr : getenv("NEARWIRE_TERMINATE_AT");
    left = at == nullptr ? 0 : strtol(at, nullptr, 10);
  }
  if (left > 0 && --left == 0) await_termination(env);
}

}  // namespace

#define NEARWIRE_GATE(name, parameters, arguments) \
  napi_status __real_##name parameters;            \
  napi_status __wrap_##name parameters {           \
    gate(env);                                     \
    return __real_##name arguments;                \
  }

extern "C" {

NEARWIRE_GATE(napi_call_function,
              (napi_env env, napi_value self, napi_value function, size_t count, const napi_value* words,
               napi_value* result),
              (env, self, function, count, words, result))
NEARWIRE_GATE(napi_new_instance,
              (napi_env env, napi_value constructor, size_t count, const napi_value* words, napi_value* result),
              (env, constructor, count, words, result))
NEARWIRE_GATE(napi_make_callback,
              (napi_env env, napi_async_context context, napi_value self, napi_value function, size_t count,
               const napi_value* words, napi_value* result),
              (env, context, self, function, count, words, result))
NEARWIRE_GATE(napi_wrap,
              (napi_env env, napi_value object, void* native, napi_finalize finalize, void* hint, napi_ref* result),
              (env, object, native, finalize, hint, result))
NEARWIRE_GATE(napi_unwrap, (napi_env env, napi_value object, void** result), (env, object, result))
NEARWIRE_GATE(napi_type_tag_object, (napi_env env, napi_value object, const napi_type_tag* tag), (env, object, tag))
NEARWIRE_GATE(napi_check_object_type_tag, (napi_env env, napi_value object, const napi_type_tag* tag, bool* result),
              (env, object, tag, result))
NEARWIRE_GATE(napi_coerce_to_bool, (napi_env env, napi_value value, napi_value* result), (env, value, result))
NEARWIRE_GATE(napi_create_arraybuffer, (napi_env env, size_t length, void** data, napi_value* result),
              (env, length, data, result))
NEARWIRE_GATE(napi_create_external_arraybuffer,
              (napi_env env, void* data, size_t length, napi_finalize finalize, void* hint, napi_value* result),
              (env, data, length, finalize, hint, result))
NEARWIRE_GATE(napi_create_typedarray,
              (napi_env env, napi_typedarray_type type, size_t length, napi_value memory, size_t offset,
               napi_value* result),
              (env, type, length, memory, offset, result))
NEARWIRE_GATE(napi_create_function,
              (napi_env env, const char* name, size_t length, napi_callback callback, void* data, napi_value* result),
              (env, name, length, callback, data, result))
NEARWIRE_GATE(napi_define_class,
              (napi_env env, const char* name, size_t length, napi_callback constructor, void* data, size_t count,
               const napi_property_descriptor* properties, napi_value* result),
              (env, name, length, constructor, data, count, properties, result))
NEARWIRE_GATE(napi_define_properties,
              (napi_env env, napi_value object, size_t count, const napi_property_descriptor* properties),
              (env, object, count, properties))
NEARWIRE_GATE(napi_get_element, (napi_env env, napi_value object, uint32_t index, napi_value* result),
              (env, object, index, result))
NEARWIRE_GATE(napi_set_element, (napi_env env, napi_value object, uint32_t index, napi_value value),
              (env, object, index, value))
NEARWIRE_GATE(napi_get_property, (napi_env env, napi_value object, napi_value key, napi_value* result),
              (env, object, key, result))
NEARWIRE_GATE(napi_has_property, (napi_env env, napi_value object, napi_value key, bool* result),
              (env, object, key, result))
NEARWIRE_GATE(napi_get_named_property, (napi_env env, napi_value object, const char* name, napi_value* result),
              (env, object, name, result))
NEARWIRE_GATE(napi_set_named_property, (napi_env env, napi_value object, const char* name, napi_value value),
              (env, object, name, value))

}  // extern "C"
