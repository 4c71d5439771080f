// Connections of the engine's JavaScript object: how they begin, read, and end.
#include <cerrno>
#include <memory>

#include "js_arguments.h"
#include "js_convert.h"
#include "js_engine.h"

namespace nearwire {

JsEngine::Methods JsEngine::connect_methods() {
  return {method<&JsEngine::connect>("connect"),
          method<&JsEngine::prepare_connect>("prepareConnect"),
          method<&JsEngine::try_connect>("tryConnect"),
          method<&JsEngine::adopt>("adopt"),
          method<&JsEngine::detach>("detach"),
          method<&JsEngine::take_unread>("takeUnread"),
          method<&JsEngine::read_into>("readInto"),
          method<&JsEngine::set_reading>("setReading"),
          method<&JsEngine::shutdown>("shutdown"),
          method<&JsEngine::close>("close"),
          method<&JsEngine::ref>("ref")};
}

Napi::Value JsEngine::connect(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[0].IsObject() || !info[1].IsObject()) return number(info, -EINVAL);
  JsAddress target;
  const int error = read_address(info[0].As<Napi::Object>(), &target);
  if (error < 0) return number(info, error);
  const Address* local = target.has_local ? &target.local : nullptr;
  return number(info, engine_->connect(target.address, local, read_connection_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::prepare_connect(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[0].IsObject() || !info[1].IsObject()) return number(info, -EINVAL);
  JsAddress target;
  const int error = read_address(info[0].As<Napi::Object>(), &target);
  if (error < 0) return number(info, error);
  return number(info, engine_->prepare_connect(target.address, read_connection_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::try_connect(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : found->try_connect());
}

Napi::Value JsEngine::adopt(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[1].IsObject()) return number(info, -EINVAL);
  return number(info, engine_->adopt(integer(info, 0), read_connection_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::detach(const Napi::CallbackInfo& info) {
  return number(info, engine_ == nullptr ? -EBADF : engine_->detach(integer(info, 0), count(info, 1)));
}

Napi::Value JsEngine::take_unread(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  if (engine_ == nullptr) return result;
  for (const Completion& read : engine_->take_unread(integer(info, 0), count(info, 1))) {
    result.Set(result.Length(), static_cast<int32_t>(read.event));
    result.Set(result.Length(), read.a);
    result.Set(result.Length(), read.b);
  }
  return result;
}

Napi::Value JsEngine::read_into(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  if (found != nullptr && info[1].IsTypedArray()) {
    found->read_into(std::make_unique<HeldBuffer>(info.Env(), info[1]));
  }
  return info.Env().Undefined();
}

Napi::Value JsEngine::set_reading(const Napi::CallbackInfo& info) {
  if (Connection* found = connection(info)) found->set_reading(boolean(info, 1));
  return info.Env().Undefined();
}

Napi::Value JsEngine::shutdown(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : found->shutdown());
}

Napi::Value JsEngine::close(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) engine_->close_connection(integer(info, 0), boolean(info, 1));
  return info.Env().Undefined();
}

Napi::Value JsEngine::ref(const Napi::CallbackInfo& info) {
  if (Connection* found = connection(info)) found->set_ref(boolean(info, 1));
  return info.Env().Undefined();
}

}  // namespace nearwire
