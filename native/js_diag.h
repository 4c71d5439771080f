// The kernel's diagnosis of sockets, as JavaScript values.
#pragma once

#include <napi.h>

namespace nearwire::js_diag {

// Each returns the result documented in native/diag.h, or a negative errno.
Napi::Value unix_sockets(const Napi::CallbackInfo& info);
Napi::Value unix_socket(const Napi::CallbackInfo& info);
Napi::Value waiting_clients(const Napi::CallbackInfo& info);
Napi::Value tcp_listeners(const Napi::CallbackInfo& info);
Napi::Value describe_socket(const Napi::CallbackInfo& info);
Napi::Value probe_path(const Napi::CallbackInfo& info);

}  // namespace nearwire::js_diag
