#include "js_engine.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "js_arguments.h"
#include "js_balance.h"
#include "js_convert.h"
#include "sys.h"

namespace nearwire {

namespace {

constexpr napi_type_tag kTag = {0x6e65617277697265, 0x2d656e67696e6531};

}  // namespace

Napi::Function JsEngine::define(Napi::Env env) {
  return DefineClass(env, "NativeEngine",
                     {InstanceMethod<&JsEngine::set_turn_handler>("setTurnHandler"),
                      InstanceMethod<&JsEngine::set_closing_handler>("setClosingHandler"),
                      InstanceMethod<&JsEngine::call_when_closing>("callWhenClosing"),
                      InstanceMethod<&JsEngine::provide_block>("provideBlock"),
                      InstanceMethod<&JsEngine::lent_memory>("lentMemory"),
                      InstanceMethod<&JsEngine::connect>("connect"),
                      InstanceMethod<&JsEngine::prepare_connect>("prepareConnect"),
                      InstanceMethod<&JsEngine::try_connect>("tryConnect"),
                      InstanceMethod<&JsEngine::listen>("listen"),
                      InstanceMethod<&JsEngine::adopt>("adopt"),
                      InstanceMethod<&JsEngine::adopt_listener>("adoptListener"),
                      InstanceMethod<&JsEngine::detach>("detach"),
                      InstanceMethod<&JsEngine::take_unread>("takeUnread"),
                      InstanceMethod<&JsEngine::take_accepted>("takeAccepted"),
                      InstanceMethod<&JsEngine::duplicate_listener>("duplicateListener"),
                      InstanceMethod<&JsEngine::duplicate>("duplicate"),
                      InstanceMethod<&JsEngine::listener_descriptor>("listenerDescriptor"),
                      InstanceMethod<&JsEngine::close_listener>("closeListener"),
                      InstanceMethod<&JsEngine::ref_listener>("refListener"),
                      InstanceMethod<&JsEngine::set_accept_limit>("setAcceptLimit"),
                      InstanceMethod<&JsEngine::share_listener>("shareListener"),
                      InstanceMethod<&JsEngine::count_connections>("countConnections"),
                      InstanceMethod<&JsEngine::listener_address>("listenerAddress"),
                      InstanceMethod<&JsEngine::flush>("flush"),
                      InstanceMethod<&JsEngine::write_lent>("writeLent"),
                      InstanceMethod<&JsEngine::write_parts>("writeParts"),
                      InstanceMethod<&JsEngine::open_file>("openFile"),
                      InstanceMethod<&JsEngine::file_size>("fileSize"),
                      InstanceMethod<&JsEngine::file_modified>("fileModified"),
                      InstanceMethod<&JsEngine::file_source>("fileSource"),
                      InstanceMethod<&JsEngine::close_file>("closeFile"),
                      InstanceMethod<&JsEngine::withdraw_file>("withdrawFile"),
                      InstanceMethod<&JsEngine::queued>("queued"),
                      InstanceMethod<&JsEngine::moved_at>("movedAt"),
                      InstanceMethod<&JsEngine::read_into>("readInto"),
                      InstanceMethod<&JsEngine::set_reading>("setReading"),
                      InstanceMethod<&JsEngine::splice>("splice"),
                      InstanceMethod<&JsEngine::receive_file>("receiveFile"),
                      InstanceMethod<&JsEngine::finish_sink>("finishSink"),
                      InstanceMethod<&JsEngine::stop_sink>("stopSink"),
                      InstanceMethod<&JsEngine::sink_totals>("sinkTotals"),
                      InstanceMethod<&JsEngine::shutdown>("shutdown"),
                      InstanceMethod<&JsEngine::close>("close"),
                      InstanceMethod<&JsEngine::ref>("ref"),
                      InstanceMethod<&JsEngine::set_no_delay>("setNoDelay"),
                      InstanceMethod<&JsEngine::set_keep_alive>("setKeepAlive"),
                      InstanceMethod<&JsEngine::buffer_sizes>("bufferSizes"),
                      InstanceMethod<&JsEngine::peer_address>("peerAddress"),
                      InstanceMethod<&JsEngine::local_address>("localAddress"),
                      InstanceMethod<&JsEngine::file_descriptor>("fileDescriptor"),
                      InstanceMethod<&JsEngine::share_descriptor>("shareDescriptor"),
                      InstanceMethod<&JsEngine::open_pair>("openPair"),
                      InstanceMethod<&JsEngine::has_hung_up>("hasHungUp"),
                      InstanceMethod<&JsEngine::was_preempted>("wasPreempted"),
                      InstanceMethod<&JsEngine::unread>("unread"),
                      InstanceMethod<&JsEngine::set_spin>("setSpin"),
                      InstanceMethod<&JsEngine::counters>("counters"),
                      InstanceMethod<&JsEngine::connection_counters>("connectionCounters"),
                      InstanceMethod<&JsEngine::scan_request>("scanRequest"),
                      InstanceMethod<&JsEngine::report_exception>("reportException")});
}

JsEngine::JsEngine(const Napi::CallbackInfo& info) : JsObject<JsEngine>(info, kTag), engine_(nullptr) {
  const Napi::Env env = info.Env();
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  engine_ = new Engine(loop, this);
  ending_ = new Ending{engine_, this};
  napi_add_async_cleanup_hook(env, environment_ends, ending_, nullptr);
  const int error = engine_->open();
  if (error < 0) {
    Napi::Error::New(env, std::string("nearwire: cannot use the event loop: ") + uv_strerror(error))
        .ThrowAsJavaScriptException();
    return;
  }
  info.This().As<Napi::Object>().Set("layout", layout(env));
  // The engine calls it for as long as there is an environment, whether JS holds it or not.
  if (!env.IsExceptionPending() && !IsEmpty()) Ref();
}

JsEngine::~JsEngine() {
  if (ending_ != nullptr) ending_->self = nullptr;
}

void JsEngine::environment_ends(napi_async_cleanup_hook_handle handle, void* data) {
  const std::unique_ptr<Ending> ending(static_cast<Ending*>(data));
  Engine* const engine = ending->engine;
  if (ending->self != nullptr) {
    ending->self->engine_ = nullptr;
    ending->self->ending_ = nullptr;
  }
  engine->close([engine, handle] {
    delete engine;
    napi_remove_async_cleanup_hook(handle);
  });
}

Napi::Value JsEngine::layout(Napi::Env env) {
  const auto words = [env](void* memory, size_t size) -> Napi::Value {
    const Napi::Value buffer = external_buffer(env, memory, size);
    if (!buffer.IsArrayBuffer()) return env.Undefined();
    return Napi::Int32Array::New(env, size / sizeof(int32_t), buffer.As<Napi::ArrayBuffer>(), 0);
  };
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("inbox", external_buffer(env, engine_->inbox_memory(), Engine::kInboxBytes));
  layout.Set("arena", external_buffer(env, engine_->arena(), Engine::kArenaBytes));
  layout.Set("completions", words(engine_->completions(), Turn::kCapacity * sizeof(Completion)));
  layout.Set("submissions", words(engine_->submissions(), Engine::kMaxSubmissions * sizeof(Submission)));
  layout.Set("shared", words(engine_->shared(), sizeof(SharedState)));
  layout.Set("results", words(engine_->results(), Engine::kMaxSubmissions * sizeof(FlushResult)));
  layout.Set("requestHead", words(&request_head_, sizeof(RequestHead)));
  return layout;
}

void JsEngine::deliver() { call(turn_handler_); }

void JsEngine::closing() { call(closing_handler_); }

void JsEngine::call(const Napi::FunctionReference& handler) {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  if (handler.IsEmpty()) return;
  napi_value result = nullptr;
  // With a callback scope: without one, a callback of node's own from inside (the HTTP parser's) takes itself for the
  // outermost, and finds an async context that should not be there. The scope's own context is none: one made here
  // would be that of whoever made the first socket, and what is accepted would run in it.
  // In an environment that is being terminated it fails, and there is nobody to tell.
  const napi_status status = napi_make_callback(env, nullptr, Value(), handler.Value(), 0, nullptr, &result);
  if (status != napi_pending_exception) return;
  // The handler reports what listeners throw by itself. What comes out of it all the same is not lost.
  napi_value error = nullptr;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

Connection* JsEngine::connection(const Napi::CallbackInfo& info, size_t argument) {
  return engine_ == nullptr ? nullptr : engine_->connection(integer(info, argument));
}

Listener* JsEngine::listener(const Napi::CallbackInfo& info) {
  return engine_ == nullptr ? nullptr : engine_->listener(integer(info, 0));
}

Napi::Value JsEngine::set_turn_handler(const Napi::CallbackInfo& info) {
  if (info[0].IsFunction()) turn_handler_ = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value JsEngine::set_closing_handler(const Napi::CallbackInfo& info) {
  if (info[0].IsFunction()) closing_handler_ = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

Napi::Value JsEngine::call_when_closing(const Napi::CallbackInfo& info) {
  return number(info, engine_ == nullptr ? -ECANCELED : engine_->call_when_closing());
}

Napi::Value JsEngine::provide_block(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr && bytes_of(info.Env(), info[1]).iov_len == ReadBlocks::kReadSize) {
    engine_->blocks().provide(integer(info, 0), std::make_unique<HeldBuffer>(info.Env(), info[1]));
  }
  return info.Env().Undefined();
}

Napi::Value JsEngine::lent_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (engine_ == nullptr) return env.Undefined();
  LentSlab& lent = engine_->lent();
  const Napi::Value memory = shared_buffer(env, lent.current(), LentSlab::kBytes);
  if (!memory.IsArrayBuffer()) return env.Undefined();
  const Napi::Value shown = Napi::Uint8Array::New(env, LentSlab::kBytes, memory.As<Napi::ArrayBuffer>(), 0);
  lent.show(std::make_unique<HeldBuffer>(env, shown));
  return memory;
}

void JsEngine::keep_send_buffer(int fd) {
  if (engine_ != nullptr) engine_->keep_send_buffer(fd);
}

Napi::Value JsEngine::connect(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[0].IsObject() || !info[1].IsObject()) return number(info, -EINVAL);
  JsAddress target;
  const int error = read_address(info[0].As<Napi::Object>(), &target);
  if (error < 0) return number(info, error);
  const Address* local = target.has_local ? &target.local : nullptr;
  return number(info, engine_->connect(target.address, local, read_connection_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::prepare_connect(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[0].IsObject() || !info[1].IsObject()) return number(info, -EINVAL);
  JsAddress target;
  const int error = read_address(info[0].As<Napi::Object>(), &target);
  if (error < 0) return number(info, error);
  return number(info, engine_->prepare_connect(target.address, read_connection_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::try_connect(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : found->try_connect());
}

Napi::Value JsEngine::listen(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[0].IsObject() || !info[1].IsObject()) return number(info, -EINVAL);
  JsAddress at;
  const int error = read_address(info[0].As<Napi::Object>(), &at);
  if (error < 0) return number(info, error);
  ListenOptions options = read_listen_options(info[1].As<Napi::Object>());
  options.ipv6_only = at.ipv6_only;
  return number(info, engine_->listen(at.address, at.path, options));
}

Napi::Value JsEngine::adopt(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[1].IsObject()) return number(info, -EINVAL);
  return number(info, engine_->adopt(integer(info, 0), read_connection_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::adopt_listener(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr || !info[1].IsObject()) return number(info, -EINVAL);
  return number(info, engine_->adopt_listener(integer(info, 0), read_listen_options(info[1].As<Napi::Object>())));
}

Napi::Value JsEngine::detach(const Napi::CallbackInfo& info) {
  return number(info, engine_ == nullptr ? -EBADF : engine_->detach(integer(info, 0), count(info, 1)));
}

Napi::Value JsEngine::take_unread(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  if (engine_ == nullptr) return result;
  for (const Completion& read : engine_->take_unread(integer(info, 0), count(info, 1))) {
    result.Set(result.Length(), static_cast<int32_t>(read.event));
    result.Set(result.Length(), read.a);
    result.Set(result.Length(), read.b);
  }
  return result;
}

Napi::Value JsEngine::take_accepted(const Napi::CallbackInfo& info) {
  Napi::Array taken = Napi::Array::New(info.Env());
  if (engine_ == nullptr) return taken;
  for (const int32_t id : engine_->take_accepted(integer(info, 0))) {
    taken.Set(taken.Length(), Napi::Number::New(info.Env(), id));
  }
  return taken;
}

Napi::Value JsEngine::duplicate_listener(const Napi::CallbackInfo& info) {
  const Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : sys::duplicate(found->fd()));
}

Napi::Value JsEngine::duplicate(const Napi::CallbackInfo& info) {
  return number(info, sys::duplicate(integer(info, 0)));
}

Napi::Value JsEngine::listener_descriptor(const Napi::CallbackInfo& info) {
  const Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : found->fd());
}

Napi::Value JsEngine::close_listener(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) engine_->close_listener(integer(info, 0));
  return info.Env().Undefined();
}

Napi::Value JsEngine::ref_listener(const Napi::CallbackInfo& info) {
  if (Listener* found = listener(info)) found->set_ref(boolean(info, 1));
  return info.Env().Undefined();
}

Napi::Value JsEngine::set_accept_limit(const Napi::CallbackInfo& info) {
  Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : found->set_limit(integer(info, 1)));
}

Napi::Value JsEngine::share_listener(const Napi::CallbackInfo& info) {
  Listener* found = listener(info);
  return number(info, found == nullptr ? -EBADF : found->share(JsBalance::balance(info[1]), integer(info, 2)));
}

Napi::Value JsEngine::count_connections(const Napi::CallbackInfo& info) {
  Listener* found = listener(info);
  if (found != nullptr) found->count(static_cast<uint32_t>(count(info, 1)), static_cast<uint32_t>(count(info, 2)));
  return info.Env().Undefined();
}

Napi::Value JsEngine::listener_address(const Napi::CallbackInfo& info) {
  const Listener* found = listener(info);
  if (found == nullptr) return number(info, -EBADF);
  sockaddr_storage name{};
  socklen_t length = 0;
  const int error = sys::socket_name(found->fd(), &name, &length);
  return error < 0 ? number(info, error) : endpoint(info.Env(), name, length);
}

Napi::Value JsEngine::read_into(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  if (found != nullptr && info[1].IsTypedArray()) {
    found->read_into(std::make_unique<HeldBuffer>(info.Env(), info[1]));
  }
  return info.Env().Undefined();
}

Napi::Value JsEngine::set_reading(const Napi::CallbackInfo& info) {
  if (Connection* found = connection(info)) found->set_reading(boolean(info, 1));
  return info.Env().Undefined();
}

Napi::Value JsEngine::shutdown(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : found->shutdown());
}

Napi::Value JsEngine::close(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) engine_->close_connection(integer(info, 0), boolean(info, 1));
  return info.Env().Undefined();
}

Napi::Value JsEngine::ref(const Napi::CallbackInfo& info) {
  if (Connection* found = connection(info)) found->set_ref(boolean(info, 1));
  return info.Env().Undefined();
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

Napi::Value JsEngine::open_pair(const Napi::CallbackInfo& info) {
  std::array<int, 2> ends{};
  const int error = sys::open_pair(ends.data());
  if (error < 0) return number(info, error);
  Napi::Array result = Napi::Array::New(info.Env(), ends.size());
  for (uint32_t i = 0; i < ends.size(); ++i) result.Set(i, ends.at(i));
  return result;
}

Napi::Value JsEngine::has_hung_up(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return Napi::Boolean::New(info.Env(), found == nullptr || sys::has_hung_up(found->fd()));
}

Napi::Value JsEngine::was_preempted(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), engine_ != nullptr && engine_->was_preempted());
}

Napi::Value JsEngine::unread(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return number(info, found == nullptr ? -EBADF : sys::unread_bytes(found->fd()));
}

Napi::Value JsEngine::set_spin(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) engine_->set_spin(static_cast<uint32_t>(std::max(integer(info, 0), 0)));
  return info.Env().Undefined();
}

Napi::Value JsEngine::counters(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return number(info, -EBADF);
  const EngineCounters& c = engine_->counters();
  const SpinCounters& s = engine_->spin_counters();
  return float64_array(
      info.Env(),
      std::vector<uint64_t>{c.turns, c.completions, c.reads, c.sends, c.partial_sends, c.eagains, c.accepted, c.dropped,
                            s.spins, s.hits, s.misses, s.polls, c.pages_by_reference, c.page_bytes_by_reference,
                            c.pages_by_copy, c.page_bytes_by_copy, c.files, c.files_copied, c.bytes_by_reference});
}

Napi::Value JsEngine::connection_counters(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  if (found == nullptr) return number(info, -EBADF);
  const ConnectionCounters c = found->counters_now();
  return float64_array(
      info.Env(), std::vector<uint64_t>{c.bytes_read, c.bytes_written, c.reads, c.sends, c.partial_sends, c.eagains,
                                        c.turns, c.files, c.files_copied, c.bytes_by_reference, c.messages,
                                        c.send_eagains, c.waits, c.wait_nanos});
}

Napi::Value JsEngine::scan_request(const Napi::CallbackInfo& info) {
  const iovec bytes = bytes_of(info.Env(), info[0]);
  const int32_t start = integer(info, 1);
  const int32_t end = integer(info, 2);
  if (start < 0 || end <= start || static_cast<size_t>(end) > bytes.iov_len) return number(info, 0);
  const char* from = static_cast<const char*>(bytes.iov_base) + start;
  return number(info, static_cast<double>(scan_request_head(from, static_cast<size_t>(end - start), &request_head_)));
}

Napi::Value JsEngine::report_exception(const Napi::CallbackInfo& info) {
  napi_fatal_exception(info.Env(), info[0]);
  return info.Env().Undefined();
}

}  // namespace nearwire
