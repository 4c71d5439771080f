// Conversions between JavaScript and the engine.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "address.h"
#include "connection.h"
#include "listener.h"
#include "slab.h"

namespace nearwire {

struct JsAddress {
  Address address;
  // Empty for TCP.
  std::string path;
  bool ipv6_only = false;
  // The local address to bind before connecting.
  bool has_local = false;
  Address local;
};

// 0 or a negative errno.
int read_address(const Napi::Object& from, JsAddress* to);
ConnectionOptions read_connection_options(const Napi::Object& from);
ListenOptions read_listen_options(const Napi::Object& from);

Napi::Value endpoint(Napi::Env env, const sockaddr_storage& name, socklen_t length);

// Keeps a Uint8Array alive while it is sent from or read into.
class HeldBuffer final : public HeldMemory {
 public:
  HeldBuffer(napi_env env, napi_value buffer) : env_(env) { napi_create_reference(env, buffer, 1, &reference_); }
  ~HeldBuffer() override { napi_delete_reference(env_, reference_); }
  HeldBuffer(const HeldBuffer&) = delete;
  HeldBuffer& operator=(const HeldBuffer&) = delete;

  char* data() override { return static_cast<char*>(bytes().iov_base); }
  size_t size() override { return bytes().iov_len; }

 private:
  iovec bytes();

  napi_env env_;
  napi_ref reference_ = nullptr;
};

// The current bytes of a Uint8Array; empty for anything else, and for a detached one.
iovec bytes_of(napi_env env, napi_value value);

// Whether napi_create_external_arraybuffer() has left the finalizer's hint to the caller: these refusals come before it
// takes anything. After any other failure the finalizer has run, or will run.
inline bool is_untaken(napi_status status) {
  return status == napi_pending_exception || status == napi_cannot_run_js || status == napi_no_external_buffers_allowed;
}

// A Float64Array; undefined in an environment that is being terminated.
Napi::Value float64_array(Napi::Env env, const std::vector<double>& values);

template <typename T>
Napi::Value float64_array(Napi::Env env, const T& values) {
  std::vector<double> converted;
  converted.reserve(values.size());
  for (const auto value : values) converted.push_back(static_cast<double>(value));
  return float64_array(env, converted);
}

// Whether an ArrayBuffer may be backed by the addon's memory: some programs that embed node do not allow it (Electron).
bool lends_memory(Napi::Env env);
// An ArrayBuffer over the engine's memory, or undefined if that is not allowed.
Napi::Value external_buffer(Napi::Env env, void* memory, size_t size);

// The same over memory that lives as long as the ArrayBuffer, or the one to which its memory is transferred.
Napi::Value shared_buffer(Napi::Env env, const std::shared_ptr<char[]>& memory, size_t size);

}  // namespace nearwire
