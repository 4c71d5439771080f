// The shared memory of processes that accept from one socket, as a JavaScript object: see NativeBalance in
// src/binding/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "balance.h"
#include "js_object.h"

namespace nearwire {

class JsBalance final : public JsObject<JsBalance> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit JsBalance(const Napi::CallbackInfo& info);

  // The balance behind a value; nullptr for anything else.
  static std::shared_ptr<Balance> balance(const Napi::Value& value);

 private:
  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value pack(const Napi::CallbackInfo& info);
  Napi::Value unpack(const Napi::CallbackInfo& info);
  Napi::Value vacate(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  // Shared with a listener, and may outlive this object.
  std::shared_ptr<Balance> balance_ = std::make_shared<Balance>();
};

}  // namespace nearwire
