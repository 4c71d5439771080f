// A page as a JavaScript object: see NativePage in src/binding/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "js_object.h"
#include "page.h"

namespace nearwire {

class JsPage final : public JsObject<JsPage> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit JsPage(const Napi::CallbackInfo& info);
  ~JsPage() override;

  // The file that is sent for the sealed page behind a value; nullptr for anything else.
  static std::shared_ptr<FileReference> file(const Napi::Value& value);

 private:
  Napi::Value reserve(const Napi::CallbackInfo& info);
  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value append(const Napi::CallbackInfo& info);
  Napi::Value seal(const Napi::CallbackInfo& info);
  Napi::Value map(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  Napi::Value lend(Napi::Env env, std::unique_ptr<PageMapping> mapping);

  std::shared_ptr<Page> page_ = std::make_shared<Page>();
  // Bytes reported to V8 as external memory, because no mapping accounts for them.
  int64_t told_ = 0;
};

}  // namespace nearwire
