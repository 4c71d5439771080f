// The addon's exports. One instance per environment: the main thread and each Worker have their own, and no globals.
#include <napi.h>

#include "js_abi.h"
#include "js_balance.h"
#include "js_convert.h"
#include "js_diag.h"
#include "js_engine.h"
#include "js_file_reads.h"
#include "js_options.h"
#include "js_page.h"
#include "js_tally.h"
#include "sys.h"
#include "trial.h"

namespace nearwire {

namespace {

#ifdef NEARWIRE_ASSERTIONS
constexpr bool kDebug = true;
#else
constexpr bool kDebug = false;
#endif

// src/binding/addon.ts has the same number. Raise it when the interface between the two sides changes, so that an addon
// built from other sources is detected.
constexpr int kContract = 12;

class Addon final : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    engine_class_ = kept(JsEngine::define(env, &engine_place_));
    page_class_ = kept(JsPage::define(env));
    tally_class_ = kept(JsTally::define(env));
    balance_class_ = kept(JsBalance::define(env));
    DefineAddon(exports, {InstanceMethod<&Addon::create_engine>("createEngine"),
                          InstanceMethod<&Addon::create_page>("createPage"),
                          InstanceMethod<&Addon::page_totals>("pageTotals"),
                          InstanceMethod<&Addon::create_tally>("createTally"),
                          InstanceMethod<&Addon::create_balance>("createBalance"),
                          InstanceMethod<&Addon::socket_options>("socketOptions"),
                          InstanceMethod<&Addon::socket_state>("socketState"),
                          InstanceMethod<&Addon::get_socket_option>("getSocketOption"),
                          InstanceMethod<&Addon::set_socket_option>("setSocketOption"),
                          InstanceMethod<&Addon::set_buffers>("setBuffers"),
                          InstanceMethod<&Addon::buffer_sizes>("bufferSizes"),
                          InstanceValue("unixSockets", Napi::Function::New<js_diag::unix_sockets>(env)),
                          InstanceValue("unixSocket", Napi::Function::New<js_diag::unix_socket>(env)),
                          InstanceValue("waitingClients", Napi::Function::New<js_diag::waiting_clients>(env)),
                          InstanceValue("tcpListeners", Napi::Function::New<js_diag::tcp_listeners>(env)),
                          InstanceValue("describeSocket", Napi::Function::New<js_diag::describe_socket>(env)),
                          InstanceValue("probePath", Napi::Function::New<js_diag::probe_path>(env)),
                          InstanceValue("readResident", Napi::Function::New<js_file_reads::read_resident>(env)),
                          InstanceValue("identifyFile", Napi::Function::New<js_file_reads::identify_file>(env)),
                          InstanceMethod<&Addon::try_calls>("tryCalls"),
                          InstanceMethod<&Addon::abi>("abi"),
                          InstanceMethod<&Addon::noop>("noop"),
                          InstanceValue("contract", Napi::Number::New(env, kContract)),
                          InstanceValue("lendsMemory", Napi::Boolean::New(env, lends_memory(env))),
                          InstanceValue("system", Napi::String::New(env, sys::kName)),
                          InstanceValue("debug", Napi::Boolean::New(env, kDebug))});
  }

 private:
  // Empty if the environment is being terminated.
  static Napi::FunctionReference kept(const Napi::Function& defined) {
    return defined.IsEmpty() ? Napi::FunctionReference() : Napi::Persistent(defined);
  }

  // There is one engine per environment: further calls return the same one.
  Napi::Value create_engine(const Napi::CallbackInfo& info) {
    if (engine_.IsEmpty()) {
      const Napi::Object made = engine_class_.New({});
      if (made.IsEmpty()) return info.Env().Undefined();
      engine_ = Napi::Persistent(made);
    }
    return engine_.Value();
  }

  Napi::Value create_page(const Napi::CallbackInfo&) { return page_class_.New({}); }

  Napi::Value create_tally(const Napi::CallbackInfo&) { return tally_class_.New({}); }

  Napi::Value create_balance(const Napi::CallbackInfo&) { return balance_class_.New({}); }

  Napi::Value page_totals(const Napi::CallbackInfo& info) {
    const PageShare::Totals totals = PageShare::totals();
    Napi::Array result = Napi::Array::New(info.Env(), 2);
    result.Set(0U, static_cast<double>(totals.pages));
    result.Set(1U, static_cast<double>(totals.bytes));
    return result;
  }

  // An array of pairs: the call, and 0 or a negative errno.
  Napi::Value try_calls(const Napi::CallbackInfo& info) {
    Napi::Array result = Napi::Array::New(info.Env());
    const std::string path = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : std::string();
    for (const Trial& trial : nearwire::try_calls(path)) {
      Napi::Array pair = Napi::Array::New(info.Env(), 2);
      pair.Set(0U, trial.call);
      pair.Set(1U, trial.outcome);
      result.Set(result.Length(), pair);
    }
    return result;
  }

  Napi::Value socket_options(const Napi::CallbackInfo& info) { return option_rows(info.Env()); }

  Napi::Value socket_state(const Napi::CallbackInfo& info) { return nearwire::socket_state(info); }

  Napi::Value get_socket_option(const Napi::CallbackInfo& info) { return get_option(info); }

  Napi::Value set_socket_option(const Napi::CallbackInfo& info) { return set_option(info, engine_place_.engine); }

  Napi::Value set_buffers(const Napi::CallbackInfo& info) { return nearwire::set_buffers(info, &system_buffers_); }

  Napi::Value buffer_sizes(const Napi::CallbackInfo& info) { return nearwire::buffer_sizes(info); }

  Napi::Value abi(const Napi::CallbackInfo& info) { return nearwire::abi(info.Env()); }

  Napi::Value noop(const Napi::CallbackInfo& info) { return info.Env().Undefined(); }

  JsEngine::Place engine_place_;
  Napi::FunctionReference engine_class_;
  Napi::FunctionReference page_class_;
  Napi::FunctionReference tally_class_;
  Napi::FunctionReference balance_class_;
  Napi::ObjectReference engine_;
  SystemBuffers system_buffers_;
};

}  // namespace

NODE_API_NAMED_ADDON(nearwire, Addon)

}  // namespace nearwire
