#include "js_options.h"

#include <cerrno>

#include "js_arguments.h"
#include "options.h"
#include "sys.h"

namespace nearwire {

namespace {

const char* name_of(ValueType type) {
  switch (type) {
    case ValueType::kBoolean:
      return "boolean";
    case ValueType::kNumber:
      return "number";
    case ValueType::kNumberOrOff:
      return "number or false";
  }
  return "";
}

Napi::Value support(Napi::Env env, const OptionSupport& from) {
  if (from.readable == 0) return env.Undefined();
  Napi::Object result = Napi::Object::New(env);
  result.Set("readable", from.readable);
  result.Set("settable", from.settable);
  result.Set("lowest", from.lowest);
  result.Set("highest", from.highest);
  return result;
}

Napi::Object row(Napi::Env env, const OptionRow& from) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", from.name);
  result.Set("type", name_of(from.type));
  result.Set("unit", from.unit);
  result.Set("blockingOnly", from.blocking_only);
  result.Set("here", support(env, from.*kSupportHere));
  result.Set("linux", support(env, from.on_linux));
  result.Set("darwin", support(env, from.on_darwin));
  result.Set("posix", support(env, from.on_posix));
  return result;
}

bool option_id(const Napi::CallbackInfo& info, size_t argument, OptionId* id) {
  const int32_t index = integer(info, argument);
  if (index < 0 || static_cast<size_t>(index) >= kOptionCount) return false;
  *id = static_cast<OptionId>(index);
  return true;
}

}  // namespace

Napi::Value option_rows(Napi::Env env) {
  Napi::Array rows = Napi::Array::New(env);
  for (const OptionRow& option : option_table()) rows.Set(rows.Length(), row(env, option));
  return rows;
}

Napi::Value socket_state(const Napi::CallbackInfo& info) {
  const int fd = integer(info, 0);
  const int kind = socket_kind(fd);
  const int blocking = kind < 0 ? 0 : sys::is_blocking(fd);
  if (kind < 0 || blocking < 0) return number(info, kind < 0 ? kind : blocking);
  Napi::Object state = Napi::Object::New(info.Env());
  state.Set("kind", kind);
  state.Set("blocking", blocking == 1);
  return state;
}

Napi::Value get_option(const Napi::CallbackInfo& info) {
  OptionId id{};
  double value = 0;
  const int error = option_id(info, 1, &id) ? read_option(integer(info, 0), id, &value) : -EINVAL;
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0U, error);
  result.Set(1U, value);
  return result;
}

Napi::Value set_option(const Napi::CallbackInfo& info, JsEngine* engine) {
  const int fd = integer(info, 0);
  OptionId id{};
  double effective = 0;
  const char* clamped_by = nullptr;
  int error = -EINVAL;
  if (option_id(info, 1, &id) && info[2].IsNumber()) {
    error = write_option(fd, id, info[2].As<Napi::Number>().DoubleValue(), &effective, &clamped_by);
  }
  if (error == 0 && id == OptionId::kSendBufferSize && engine != nullptr) engine->keep_send_buffer(fd);
  Napi::Array result = Napi::Array::New(info.Env(), 3);
  result.Set(0U, error);
  result.Set(1U, effective);
  if (clamped_by != nullptr) result.Set(2U, clamped_by);
  return result;
}

Napi::Value set_buffers(const Napi::CallbackInfo& info, SystemBuffers* system) {
  const int fd = integer(info, 0);
  const int family = sys::stream_family(fd);
  if (family < 0) return number(info, family);
  return number(info, system->apply(fd, family, {integer(info, 1), integer(info, 2), boolean(info, 3)}));
}

Napi::Value buffer_sizes(const Napi::CallbackInfo& info) {
  const int fd = integer(info, 0);
  const int send = sys::get_option(fd, SOL_SOCKET, SO_SNDBUF);
  const int recv = sys::get_option(fd, SOL_SOCKET, SO_RCVBUF);
  if (send < 0 || recv < 0) return number(info, send < 0 ? send : recv);
  Napi::Array sizes = Napi::Array::New(info.Env(), 2);
  sizes.Set(0U, send);
  sizes.Set(1U, recv);
  return sizes;
}

}  // namespace nearwire
