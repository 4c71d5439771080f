// A server's counters as a JavaScript object: see NativeTally in src/binding/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "js_object.h"
#include "tally.h"

namespace nearwire {

class JsTally final : public JsObject<JsTally> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit JsTally(const Napi::CallbackInfo& info);

  // The tally of a value; nullptr for anything else.
  static std::shared_ptr<Tally> tally(const Napi::Value& value);

 private:
  Napi::Value totals(const Napi::CallbackInfo& info);
  Napi::Value answers(const Napi::CallbackInfo& info);
  Napi::Value send_buffers(const Napi::CallbackInfo& info);

  // Shared with listeners and connections, and may outlive this object.
  std::shared_ptr<Tally> tally_ = std::make_shared<Tally>();
};

}  // namespace nearwire
