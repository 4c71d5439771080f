// What the kernel tells of sockets, as values of JS.
#pragma once

#include <napi.h>

namespace nearwire::js_diag {

// Each answers what native/diag.h says, or a negative errno.
Napi::Value unix_sockets(const Napi::CallbackInfo& info);
Napi::Value unix_socket(const Napi::CallbackInfo& info);
Napi::Value waiting_clients(const Napi::CallbackInfo& info);
Napi::Value tcp_listeners(const Napi::CallbackInfo& info);
Napi::Value describe_socket(const Napi::CallbackInfo& info);
Napi::Value probe_path(const Napi::CallbackInfo& info);

}  // namespace nearwire::js_diag
