#include "js_balance.h"

#include "js_arguments.h"

namespace nearwire {

namespace {

constexpr napi_type_tag kTag = {0x6e65617277697265, 0x2d62616c616e6365};

}  // namespace

Napi::Function JsBalance::define(Napi::Env env) {
  return DefineClass(env, "NativeBalance",
                     {InstanceMethod<&JsBalance::open>("open"), InstanceMethod<&JsBalance::pack>("pack"),
                      InstanceMethod<&JsBalance::unpack>("unpack"), InstanceMethod<&JsBalance::vacate>("vacate"),
                      InstanceMethod<&JsBalance::close>("close")});
}

JsBalance::JsBalance(const Napi::CallbackInfo& info) : JsObject<JsBalance>(info, kTag) {}

std::shared_ptr<Balance> JsBalance::balance(const Napi::Value& value) {
  const JsBalance* found = of(value, kTag);
  return found == nullptr ? nullptr : found->balance_;
}

Napi::Value JsBalance::open(const Napi::CallbackInfo& info) { return number(info, balance_->open()); }

Napi::Value JsBalance::pack(const Napi::CallbackInfo& info) { return number(info, balance_->pack()); }

Napi::Value JsBalance::unpack(const Napi::CallbackInfo& info) {
  return number(info, balance_->unpack(integer(info, 0)));
}

Napi::Value JsBalance::vacate(const Napi::CallbackInfo& info) {
  const int32_t place = integer(info, 0);
  if (place >= 0) balance_->vacate(static_cast<uint32_t>(place));
  return info.Env().Undefined();
}

Napi::Value JsBalance::close(const Napi::CallbackInfo& info) {
  balance_ = std::make_shared<Balance>();
  return info.Env().Undefined();
}

}  // namespace nearwire
