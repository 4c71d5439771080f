#include "js_diag.h"

#include <cerrno>
#include <charconv>

#include "diag.h"
#include "js_arguments.h"
#include "js_convert.h"

namespace nearwire::js_diag {

namespace {

using diag::Description;
using diag::TcpFigures;
using diag::TcpListener;
using diag::UnixSocket;

// 64 bits do not fit into a number.
Napi::String id_of(Napi::Env env, uint64_t id) { return Napi::String::New(env, std::to_string(id)); }

uint64_t id_from(const Napi::Value& value) {
  if (!value.IsString()) return 0;
  const std::string text = value.As<Napi::String>().Utf8Value();
  uint64_t id = 0;
  // Not strtoull, which needs a newer C library than the rest: scripts/check-glibc.mjs.
  std::from_chars(text.data(), text.data() + text.size(), id);
  return id;
}

template <typename Number>
void set_known(Napi::Object* object, const char* key, const std::optional<Number>& value) {
  if (value) object->Set(key, static_cast<double>(*value));
}

Napi::Object unix_value(Napi::Env env, const UnixSocket& socket) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("id", id_of(env, socket.id));
  value.Set("cookie", id_of(env, socket.cookie));
  value.Set("type", socket.type);
  value.Set("listening", socket.listening);
  value.Set("connected", socket.connected);
  if (!socket.name.empty()) value.Set("name", socket.name);
  if (socket.file) {
    Napi::Array file = Napi::Array::New(env, 3);
    file.Set(0U, static_cast<double>(socket.file->device_major));
    file.Set(1U, static_cast<double>(socket.file->device_minor));
    file.Set(2U, static_cast<double>(socket.file->inode));
    value.Set("file", file);
  }
  if (socket.peer != 0) value.Set("peer", id_of(env, socket.peer));
  set_known(&value, "queued", socket.queued);
  set_known(&value, "backlog", socket.backlog);
  return value;
}

Napi::Object tcp_value(Napi::Env env, const TcpListener& listener) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("cookie", id_of(env, listener.cookie));
  value.Set("local", endpoint(env, listener.address, listener.address_length));
  value.Set("ipv6Only", listener.ipv6_only);
  value.Set("queued", static_cast<double>(listener.queued));
  value.Set("backlog", static_cast<double>(listener.backlog));
  return value;
}

template <typename Item, typename Convert>
Napi::Value list_value(Napi::Env env, int outcome, const std::vector<Item>& items, Convert convert) {
  if (outcome < 0) return Napi::Number::New(env, outcome);
  Napi::Array list = Napi::Array::New(env, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) {
    const Napi::HandleScope scope(env);
    list.Set(i, convert(env, items[i]));
  }
  return list;
}

Napi::Object figures_value(Napi::Env env, const TcpFigures& figures) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("state", figures.state);
  set_known(&value, "rttMicroseconds", figures.rtt_us);
  set_known(&value, "rttVarianceMicroseconds", figures.rtt_variance_us);
  set_known(&value, "congestionWindow", figures.congestion_window);
  set_known(&value, "segmentSize", figures.segment_size);
  set_known(&value, "retransmits", figures.retransmits);
  set_known(&value, "bytesAcked", figures.bytes_acked);
  set_known(&value, "bytesReceived", figures.bytes_received);
  set_known(&value, "notSent", figures.not_sent);
  set_known(&value, "busyMicroseconds", figures.busy_us);
  set_known(&value, "windowLimitedMicroseconds", figures.window_limited_us);
  set_known(&value, "bufferLimitedMicroseconds", figures.buffer_limited_us);
  return value;
}

Napi::Object credentials_value(Napi::Env env, const diag::Credentials& credentials) {
  Napi::Object value = Napi::Object::New(env);
  set_known(&value, "pid", credentials.pid);
  value.Set("uid", static_cast<double>(credentials.uid));
  set_known(&value, "gid", credentials.gid);
  return value;
}

Napi::Object description_value(Napi::Env env, const Description& found) {
  Napi::Object value = Napi::Object::New(env);
  const bool is_unix = found.family == AF_UNIX;
  value.Set("family", is_unix ? "unix" : "tcp");
  value.Set("listening", found.listening);
  value.Set("connected", found.connected);
  value.Set("id", id_of(env, found.id));
  value.Set("cookie", id_of(env, found.cookie));
  set_known(&value, "unread", found.unread);
  set_known(&value, "unsent", found.unsent);
  set_known(&value, "sendMemory", found.send_memory);
  value.Set("sendBufferSize", static_cast<double>(found.send_buffer));
  value.Set("recvBufferSize", static_cast<double>(found.recv_buffer));
  set_known(&value, "queued", found.queued);
  set_known(&value, "backlog", found.backlog);
  value.Set("local", endpoint(env, found.local, found.local_length));
  if (found.connected) value.Set("peer", endpoint(env, found.peer, found.peer_length));
  if (found.credentials) value.Set("credentials", credentials_value(env, *found.credentials));
  if (found.tcp) value.Set("tcp", figures_value(env, *found.tcp));
  return value;
}

}  // namespace

Napi::Value unix_sockets(const Napi::CallbackInfo& info) {
  std::vector<UnixSocket> found;
  const int outcome = diag::unix_sockets(boolean(info, 0) ? diag::Which::kListeners : diag::Which::kAll, &found);
  return list_value(info.Env(), outcome, found, unix_value);
}

Napi::Value unix_socket(const Napi::CallbackInfo& info) {
  UnixSocket found;
  const int outcome = diag::unix_socket(id_from(info[0]), &found);
  if (outcome < 0) return number(info, outcome);
  return unix_value(info.Env(), found);
}

Napi::Value waiting_clients(const Napi::CallbackInfo& info) {
  std::vector<uint64_t> found;
  const int outcome = diag::waiting_clients(id_from(info[0]), &found);
  return list_value(info.Env(), outcome, found, id_of);
}

Napi::Value tcp_listeners(const Napi::CallbackInfo& info) {
  std::vector<TcpListener> found;
  const int outcome = diag::tcp_listeners(static_cast<unsigned>(integer(info, 0)), &found);
  return list_value(info.Env(), outcome, found, tcp_value);
}

Napi::Value describe_socket(const Napi::CallbackInfo& info) {
  Description found;
  const int outcome = diag::describe_socket(integer(info, 0), &found);
  if (outcome < 0) return number(info, outcome);
  const bool known = found.family == AF_UNIX || found.family == AF_INET || found.family == AF_INET6;
  // Datagram, packet and netlink sockets are not supported.
  if (!known || found.type != SOCK_STREAM) return number(info, -EPROTOTYPE);
  return description_value(info.Env(), found);
}

Napi::Value probe_path(const Napi::CallbackInfo& info) {
  const std::string path = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : std::string();
  return number(info, diag::probe_path(path));
}

}  // namespace nearwire::js_diag
