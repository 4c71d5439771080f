// Socket options for JavaScript: see src/binding/addon.ts.
#pragma once

#include <napi.h>

#include "buffers.h"
#include "js_engine.h"

namespace nearwire {

Napi::Value option_rows(Napi::Env env);
Napi::Value socket_state(const Napi::CallbackInfo& info);
Napi::Value get_option(const Napi::CallbackInfo& info);
// `engine` may own the socket; nullptr: there is no engine.
Napi::Value set_option(const Napi::CallbackInfo& info, JsEngine* engine);

Napi::Value set_buffers(const Napi::CallbackInfo& info, SystemBuffers* system);
Napi::Value buffer_sizes(const Napi::CallbackInfo& info);

}  // namespace nearwire
