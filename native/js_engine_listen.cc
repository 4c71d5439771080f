// Listeners of the engine's JavaScript object.
#include <cerrno>

#include "js_arguments.h"
#include "js_balance.h"
#include "js_convert.h"
#include "js_engine.h"
#include "sys.h"

namespace nearwire {

JsEngine::Methods JsEngine::listen_methods() {
  return {method<&JsEngine::listen>("listen"),
          method<&JsEngine::adopt_listener>("adoptListener"),
          method<&JsEngine::take_accepted>("takeAccepted"),
          method<&JsEngine::duplicate_listener>("duplicateListener"),
          method<&JsEngine::listener_descriptor>("listenerDescriptor"),
          method<&JsEngine::close_listener>("closeListener"),
          method<&JsEngine::ref_listener>("refListener"),
          method<&JsEngine::set_accept_limit>("setAcceptLimit"),
          method<&JsEngine::share_listener>("shareListener"),
          method<&JsEngine::count_connections>("countConnections"),
          method<&JsEngine::listener_address>("listenerAddress")};
}

Napi::Value JsEngine::listen(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[0].IsObject() || !info[1].IsObject()) return number(info, -EINVAL);
  JsAddress at;
  const int error = read_address(info[0].As<Napi::Object>(), &at);
  if (error < 0) return number(info, error);
  ListenOptions options = read_listen_options(info[1].As<Napi::Object>());
  options.ipv6_only = at.ipv6_only;
  return number(info, engine_->listen(at.address, at.path, options));
}

Napi::Value JsEngine::adopt_listener(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[1].IsObject()) return number(info, -EINVAL);
  return number(info, engine_->adopt_listener(integer(info, 0), read_listen_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::take_accepted(const Napi::CallbackInfo& info) {
  Napi::Array taken = Napi::Array::New(info.Env());
  if (engine_ == nullptr) return taken;
  for (const int32_t id : engine_->take_accepted(integer(info, 0))) {
    taken.Set(taken.Length(), Napi::Number::New(info.Env(), id));
  }
  return taken;
}

Napi::Value JsEngine::duplicate_listener(const Napi::CallbackInfo& info) {
  const Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : sys::duplicate(found->fd()));
}

Napi::Value JsEngine::listener_descriptor(const Napi::CallbackInfo& info) {
  const Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : found->fd());
}

Napi::Value JsEngine::close_listener(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) engine_->close_listener(integer(info, 0));
  return info.Env().Undefined();
}

Napi::Value JsEngine::ref_listener(const Napi::CallbackInfo& info) {
  if (Listener* found = listener(info)) found->set_ref(boolean(info, 1));
  return info.Env().Undefined();
}

Napi::Value JsEngine::set_accept_limit(const Napi::CallbackInfo& info) {
  Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : found->set_limit(integer(info, 1)));
}

Napi::Value JsEngine::share_listener(const Napi::CallbackInfo& info) {
  Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : found->share(JsBalance::balance(info[1]), integer(info, 2)));
}

Napi::Value JsEngine::count_connections(const Napi::CallbackInfo& info) {
  Listener* found = listener(info);
  if (found != nullptr) found->count(static_cast<uint32_t>(count(info, 1)), static_cast<uint32_t>(count(info, 2)));
  return info.Env().Undefined();
}

Napi::Value JsEngine::listener_address(const Napi::CallbackInfo& info) {
  const Listener* found = listener(info);
  if (found == nullptr) return number(info, -EBADF);
  sockaddr_storage name{};
  socklen_t length = 0;
  const int error = sys::socket_name(found->fd(), &name, &length);
  return error < 0 ? number(info, error) : endpoint(info.Env(), name, length);
}

}  // namespace nearwire
