// The part of the engine's JavaScript object that redirects received bytes to other sockets and to files.
#include <array>
#include <cerrno>
#include <memory>

#include "file_sink.h"
#include "js_arguments.h"
#include "js_engine.h"
#include "sink.h"

namespace nearwire {

namespace {

// A number of bytes; a negative one means no limit.
uint64_t limit(const Napi::CallbackInfo& info, size_t argument) {
  int64_t value = -1;
  napi_get_value_int64(info.Env(), info[argument], &value);
  return value < 0 ? Sink::kNoLimit : static_cast<uint64_t>(value);
}

// Calls the JavaScript function in an argument, from the loop.
FileSink::WriteEnd write_end(const Napi::CallbackInfo& info, size_t argument) {
  if (!info[argument].IsFunction()) return [](uint64_t, int) {};
  auto function = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[argument].As<Napi::Function>()));
  return [function](uint64_t written, int status) {
    const Napi::Env env = function->Env();
    const Napi::HandleScope scope(env);
    const std::array<napi_value, 2> words{Napi::Number::New(env, static_cast<double>(written)),
                                          Napi::Number::New(env, status)};
    napi_value result = nullptr;
    const napi_status outcome =
        napi_make_callback(env, nullptr, env.Global(), function->Value(), words.size(), words.data(), &result);
    napi_value error = nullptr;
    if (outcome == napi_pending_exception && napi_get_and_clear_last_exception(env, &error) == napi_ok) {
      napi_fatal_exception(env, error);
    }
  };
}

}  // namespace

JsEngine::Methods JsEngine::splice_methods() {
  return {method<&JsEngine::splice>("splice"), InstanceMethod<&JsEngine::receive_file>("receiveFile"),
          method<&JsEngine::finish_sink>("finishSink"), InstanceMethod<&JsEngine::stop_sink>("stopSink"),
          method<&JsEngine::sink_totals>("sinkTotals")};
}

Napi::Value JsEngine::splice(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return number(info, -EBADF);
  return number(info, engine_->splice(integer(info, 0), integer(info, 1), limit(info, 2)));
}

Napi::Value JsEngine::receive_file(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return number(info, -EBADF);
  int64_t offset = FileSink::kAtPosition;
  napi_get_value_int64(info.Env(), info[2], &offset);
  return number(info,
                engine_->receive_file(integer(info, 0), integer(info, 1), offset, limit(info, 3), write_end(info, 4)));
}

Napi::Value JsEngine::finish_sink(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  if (found != nullptr && found->sink() != nullptr) found->sink()->finish();
  return info.Env().Undefined();
}

Napi::Value JsEngine::stop_sink(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  return number(info, found == nullptr ? 0 : static_cast<double>(found->stop_sink()));
}

Napi::Value JsEngine::sink_totals(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  const Sink* sink = found == nullptr ? nullptr : found->sink();
  if (sink == nullptr) return number(info, -EBADF);
  const uint64_t last = sink->last_moved();
  const double idle = last == 0 ? -1 : static_cast<double>(uv_hrtime() - last) / kNanosPerMilli;
  Napi::Array totals = Napi::Array::New(info.Env(), 4);
  totals.Set(0U, static_cast<double>(sink->moved()));
  totals.Set(1U, idle);
  totals.Set(2U, static_cast<double>(sink->arrived()));
  totals.Set(3U, sink->is_writing());
  return totals;
}

}  // namespace nearwire
