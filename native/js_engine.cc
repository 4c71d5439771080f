#include "js_engine.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "counts.h"
#include "js_arguments.h"
#include "js_convert.h"

namespace nearwire {

namespace {

constexpr napi_type_tag kTag = {0x6e65617277697265, 0x2d656e67696e6531};

HeaderNames header_names(const Napi::Value& given) {
  HeaderNames known;
  if (!given.IsArray()) return known;
  const Napi::Array names = given.As<Napi::Array>();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const Napi::Value name = names.Get(i);
    // The indexes of those behind it would be others.
    if (!name.IsString() || !known.add(name.As<Napi::String>().Utf8Value())) break;
  }
  return known;
}

Napi::Value latin1(Napi::Env env, std::string_view text) {
  napi_value made = nullptr;
  napi_create_string_latin1(env, text.data(), text.size(), &made);
  return {env, made};
}

}  // namespace

Napi::Function JsEngine::define(Napi::Env env, Place* place) {
  Methods methods{method<&JsEngine::set_turn_handler>("setTurnHandler"),
                  method<&JsEngine::set_closing_handler>("setClosingHandler"),
                  method<&JsEngine::call_when_closing>("callWhenClosing"),
                  method<&JsEngine::provide_block>("provideBlock"),
                  method<&JsEngine::lent_memory>("lentMemory"),
                  method<&JsEngine::was_preempted>("wasPreempted"),
                  method<&JsEngine::set_spin>("setSpin"),
                  method<&JsEngine::counters>("counters"),
                  method<&JsEngine::set_header_names>("setHeaderNames"),
                  method<&JsEngine::scan_request>("scanRequest"),
                  method<&JsEngine::set_variable_names>("setVariableNames"),
                  method<&JsEngine::scan_variables>("scanVariables"),
                  method<&JsEngine::report_exception>("reportException")};
  for (const auto& more : {connect_methods(), listen_methods(), socket_methods(), write_methods(), splice_methods()}) {
    methods.insert(methods.end(), more.begin(), more.end());
  }
  for (napi_property_descriptor& descriptor : methods) descriptor.data = place;
  return DefineClass(env, "NativeEngine", methods, place);
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
  // The engine calls it as long as the environment exists, whether JavaScript holds it or not.
  if (env.IsExceptionPending() || IsEmpty()) return;
  Ref();
  static_cast<Place*>(info.Data())->engine = this;
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
  layout.Set("uwsgiHead", words(&uwsgi_head_, sizeof(UwsgiHead)));
  return layout;
}

void JsEngine::deliver() { call(turn_handler_); }

void JsEngine::closing() { call(closing_handler_); }

void JsEngine::call(const Napi::FunctionReference& handler) {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  if (handler.IsEmpty()) return;
  napi_value result = nullptr;
  // Calls with a callback scope: without one, a callback of node's own inside it (the HTTP parser's) takes itself for
  // the outermost, and finds an async context that should not be there. The scope itself has no context: one created
  // here would be that of the first socket's creator, and accepted connections would run in it. In an environment that
  // is being terminated the call fails, and there is nothing to report to.
  const napi_status status = napi_make_callback(env, nullptr, Value(), handler.Value(), 0, nullptr, &result);
  if (status != napi_pending_exception) return;
  // The handler itself reports exceptions of listeners. Any that still gets here must not be lost.
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

Napi::Value JsEngine::was_preempted(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), engine_ != nullptr && engine_->was_preempted());
}

Napi::Value JsEngine::set_spin(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) engine_->set_spin(static_cast<uint32_t>(std::max(integer(info, 0), 0)));
  return info.Env().Undefined();
}

Napi::Value JsEngine::counters(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return number(info, -EBADF);
  return float64_array(info.Env(), values_of(counts_of(engine_->counters(), engine_->spin_counters())));
}

Napi::Value JsEngine::set_header_names(const Napi::CallbackInfo& info) {
  header_names_ = header_names(info[0]);
  return info.Env().Undefined();
}

Napi::Value JsEngine::set_variable_names(const Napi::CallbackInfo& info) {
  variable_names_ = header_names(info[0]);
  return info.Env().Undefined();
}

std::string_view JsEngine::scanned_bytes(const Napi::CallbackInfo& info) const {
  if (engine_ == nullptr) return {};
  // To ask V8 for the memory of an array takes 240 instructions.
  const bool is_inbox = info[0].IsUndefined();
  const iovec bytes = is_inbox ? iovec{engine_->inbox_memory(), Engine::kInboxBytes} : bytes_of(info.Env(), info[0]);
  const int32_t start = integer(info, 1);
  const int32_t end = integer(info, 2);
  if (start < 0 || end <= start || static_cast<size_t>(end) > bytes.iov_len) return {};
  return {static_cast<const char*>(bytes.iov_base) + start, static_cast<size_t>(end - start)};
}

Napi::Value JsEngine::scan_request(const Napi::CallbackInfo& info) {
  const std::string_view bytes = scanned_bytes(info);
  const size_t length = scan_request_head(bytes.data(), bytes.size(), header_names_, &request_head_);
  return length == 0 ? info.Env().Undefined() : latin1(info.Env(), bytes.substr(0, length));
}

Napi::Value JsEngine::scan_variables(const Napi::CallbackInfo& info) {
  const std::string_view bytes = scanned_bytes(info);
  const bool is_usual = scan_uwsgi_variables(bytes.data(), bytes.size(), variable_names_, &uwsgi_head_);
  return is_usual ? latin1(info.Env(), bytes) : info.Env().Undefined();
}

Napi::Value JsEngine::report_exception(const Napi::CallbackInfo& info) {
  napi_fatal_exception(info.Env(), info[0]);
  return info.Env().Undefined();
}

}  // namespace nearwire
