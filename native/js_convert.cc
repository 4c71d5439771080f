#include "js_convert.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "js_arguments.h"
#include "js_tally.h"

namespace nearwire {

namespace {

int integer(const Napi::Object& from, const char* key, int otherwise) {
  const Napi::Value value = from.Get(key);
  return value.IsNumber() ? value.As<Napi::Number>().Int32Value() : otherwise;
}

bool flag(const Napi::Object& from, const char* key) { return truth(from.Env(), from.Get(key)); }

std::string text(const Napi::Object& from, const char* key) {
  const Napi::Value value = from.Get(key);
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

}  // namespace

int read_address(const Napi::Object& from, JsAddress* to) {
  if (from.Get("path").IsString()) {
    to->path = text(from, "path");
    return to->address.set_path(to->path);
  }
  to->ipv6_only = flag(from, "ipv6Only");
  int error = to->address.set_host(text(from, "host"), static_cast<unsigned>(integer(from, "port", 0)));
  const std::string local = text(from, "localHost");
  const int local_port = integer(from, "localPort", 0);
  if (error < 0 || (local.empty() && local_port == 0)) return error;
  to->has_local = true;
  const char* any = to->address.family() == AF_INET6 ? "::" : "0.0.0.0";
  return to->local.set_host(local.empty() ? any : local, static_cast<unsigned>(local_port));
}

ConnectionOptions read_connection_options(const Napi::Object& from) {
  ConnectionOptions options;
  options.owned = flag(from, "owned");
  options.buffers = {integer(from, "sendBufferSize", 0), integer(from, "recvBufferSize", 0),
                     flag(from, "smallBuffers")};
  options.no_delay = flag(from, "noDelay");
  options.keep_alive = flag(from, "keepAlive");
  options.keep_alive_delay = static_cast<unsigned>(integer(from, "keepAliveDelay", 0));
  options.paused = flag(from, "paused");
  return options;
}

ListenOptions read_listen_options(const Napi::Object& from) {
  ListenOptions options;
  options.connection = read_connection_options(from);
  options.backlog = integer(from, "backlog", options.backlog);
  options.mode = integer(from, "mode", -1);
  options.reuse_port = flag(from, "reusePort");
  options.defer_accept = flag(from, "deferAccept");
  options.connection.tally = JsTally::tally(from.Get("tally"));
  return options;
}

Napi::Value endpoint(Napi::Env env, const sockaddr_storage& name, socklen_t length) {
  const AddressText address = describe(name, length);
  Napi::Object result = Napi::Object::New(env);
  if (address.is_path) {
    if (!address.text.empty()) result.Set("path", address.text);
    return result;
  }
  result.Set("address", address.text);
  result.Set("family", address.family == AF_INET6 ? "IPv6" : "IPv4");
  result.Set("port", address.port);
  return result;
}

iovec bytes_of(napi_env env, napi_value value) {
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return {nullptr, 0};
  if (type != napi_uint8_array || data == nullptr) return {nullptr, 0};
  return {data, length};
}

iovec HeldBuffer::bytes() {
  const Napi::HandleScope scope(env_);
  napi_value buffer = nullptr;
  if (napi_get_reference_value(env_, reference_, &buffer) != napi_ok || buffer == nullptr) return {nullptr, 0};
  return bytes_of(env_, buffer);
}

Napi::Value external_buffer(Napi::Env env, void* memory, size_t size) {
  napi_value buffer = nullptr;
  // The engine frees the memory after the environment's last JavaScript has run: there is nothing to finalize.
  const auto nothing = [](napi_env, void*, void*) {};
  if (napi_create_external_arraybuffer(env, memory, size, nothing, nullptr, &buffer) != napi_ok) {
    return env.Undefined();
  }
  return Napi::Value(env, buffer);
}

Napi::Value shared_buffer(Napi::Env env, const std::shared_ptr<char[]>& memory, size_t size) {
  auto* owner = new std::shared_ptr<char[]>(memory);
  const auto release = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<char[]>*>(hint); };
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, memory.get(), size, release, owner, &buffer);
  if (is_untaken(status)) delete owner;
  return status == napi_ok ? Napi::Value(env, buffer) : env.Undefined();
}

Napi::Value float64_array(Napi::Env env, const std::vector<double>& values) {
  void* to = nullptr;
  napi_value memory = nullptr;
  napi_value array = nullptr;
  const size_t size = values.size() * sizeof(double);
  if (napi_create_arraybuffer(env, size, &to, &memory) != napi_ok) return env.Undefined();
  if (size > 0) memcpy(to, values.data(), size);
  if (napi_create_typedarray(env, napi_float64_array, values.size(), memory, 0, &array) != napi_ok) {
    return env.Undefined();
  }
  return Napi::Value(env, array);
}

bool lends_memory(Napi::Env env) {
  static char nothing;
  return external_buffer(env, &nothing, sizeof nothing).IsArrayBuffer();
}

}  // namespace nearwire
