// The native side of a JavaScript object. A Napi::ObjectWrap that is safe while the environment is being terminated:
// Node-API then refuses every call that may run JavaScript, and throws nothing.
#pragma once

#include <napi.h>

namespace nearwire {

template <typename T>
class JsObject : public Napi::ObjectWrap<T> {
 public:
  // The native object behind a value; nullptr for anything else.
  static T* of(const Napi::Value& value, const napi_type_tag& tag) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag)) return nullptr;
    return Napi::ObjectWrap<T>::Unwrap(value.As<Napi::Object>());
  }

  JsObject(const JsObject&) = delete;
  JsObject& operator=(const JsObject&) = delete;

  ~JsObject() override {
    if (is_unowned_) napi_remove_env_cleanup_hook(env_, discard, this);
  }

 protected:
  // `tag` distinguishes its objects from others that JavaScript may pass.
  JsObject(const Napi::CallbackInfo& info, const napi_type_tag& tag)
      : Napi::ObjectWrap<T>(info), env_(info.Env()), is_unowned_(this->IsEmpty()) {
    // If it could not be bound to a JavaScript object, none will delete it.
    if (is_unowned_) napi_add_env_cleanup_hook(env_, discard, this);
    napi_type_tag_object(env_, info.This(), &tag);
  }

 private:
  static void discard(void* self) {
    auto* const object = static_cast<JsObject*>(self);
    // Node has removed a hook before it calls it.
    object->is_unowned_ = false;
    delete object;
  }

  napi_env env_;
  bool is_unowned_;
};

}  // namespace nearwire
