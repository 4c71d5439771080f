// Queries and settings of sockets, of connections and others: options, addresses, descriptors, counters.
#include <array>
#include <cerrno>
#include <vector>

#include "counts.h"
#include "js_arguments.h"
#include "js_convert.h"
#include "js_engine.h"
#include "sys.h"

namespace nearwire {

JsEngine::Methods JsEngine::socket_methods() {
  return {method<&JsEngine::set_no_delay>("setNoDelay"),
          method<&JsEngine::set_keep_alive>("setKeepAlive"),
          method<&JsEngine::buffer_sizes>("bufferSizes"),
          method<&JsEngine::peer_address>("peerAddress"),
          method<&JsEngine::local_address>("localAddress"),
          method<&JsEngine::file_descriptor>("fileDescriptor"),
          method<&JsEngine::share_descriptor>("shareDescriptor"),
          method<&JsEngine::has_hung_up>("hasHungUp"),
          method<&JsEngine::unread>("unread"),
          method<&JsEngine::connection_counters>("connectionCounters"),
          method<&JsEngine::duplicate>("duplicate"),
          method<&JsEngine::open_pair>("openPair")};
}

Napi::Value JsEngine::set_no_delay(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : sys::set_no_delay(found->fd(), boolean(info, 1)));
}

Napi::Value JsEngine::set_keep_alive(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  if (found == nullptr) return number(info, -EBADF);
  return number(info, sys::set_keep_alive(found->fd(), boolean(info, 1), static_cast<unsigned>(integer(info, 2))));
}

Napi::Value JsEngine::buffer_sizes(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  if (found == nullptr) return number(info, -EBADF);
  Napi::Array sizes = Napi::Array::New(info.Env(), 2);
  sizes.Set(0U, sys::get_option(found->fd(), SOL_SOCKET, SO_SNDBUF));
  sizes.Set(1U, sys::get_option(found->fd(), SOL_SOCKET, SO_RCVBUF));
  return sizes;
}

Napi::Value JsEngine::peer_address(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  if (found == nullptr) return number(info, -EBADF);
  sockaddr_storage name{};
  socklen_t length = 0;
  const int error = sys::peer_name(found->fd(), &name, &length);
  return error < 0 ? number(info, error) : endpoint(info.Env(), name, length);
}

Napi::Value JsEngine::local_address(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  if (found == nullptr) return number(info, -EBADF);
  sockaddr_storage name{};
  socklen_t length = 0;
  const int error = sys::socket_name(found->fd(), &name, &length);
  return error < 0 ? number(info, error) : endpoint(info.Env(), name, length);
}

Napi::Value JsEngine::file_descriptor(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : found->fd());
}

Napi::Value JsEngine::share_descriptor(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : found->share());
}

Napi::Value JsEngine::has_hung_up(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return Napi::Boolean::New(info.Env(), found == nullptr || sys::has_hung_up(found->fd()));
}

Napi::Value JsEngine::unread(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : sys::unread_bytes(found->fd()));
}

Napi::Value JsEngine::connection_counters(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  if (found == nullptr) return number(info, -EBADF);
  return float64_array(info.Env(), values_of(counts_of(found->counters_now())));
}

Napi::Value JsEngine::duplicate(const Napi::CallbackInfo& info) {
  return number(info, sys::duplicate(integer(info, 0)));
}

Napi::Value JsEngine::open_pair(const Napi::CallbackInfo& info) {
  std::array<int, 2> ends{};
  const int error = sys::open_pair(ends.data());
  if (error < 0) return number(info, error);
  Napi::Array result = Napi::Array::New(info.Env(), ends.size());
  for (uint32_t i = 0; i < ends.size(); ++i) result.Set(i, ends.at(i));
  return result;
}

}  // namespace nearwire
