// The engine as a JavaScript object. Each method unwraps, checks, calls a plain C++ method and converts: see
// src/binding/engine.ts. Each js_engine*.cc file has the methods of one task, and their JavaScript names.
#pragma once

#include <napi.h>

#include <vector>

#include "engine.h"
#include "header_names.h"
#include "js_object.h"
#include "request_head.h"
#include "uwsgi_variables.h"

namespace nearwire {

class JsEngine final : public JsObject<JsEngine>, private Engine::Delegate {
 public:
  // Where the methods find the environment's only engine. To unwrap it from their receiver takes 720 instructions, 5 %
  // of a short request's in user space.
  struct Place {
    // Set as soon as it is open; it lives as long as any JavaScript that could call it.
    JsEngine* engine = nullptr;
  };

  static Napi::Function define(Napi::Env env, Place* place);

  explicit JsEngine(const Napi::CallbackInfo& info);
  ~JsEngine() override;

  // The program has set the send buffer of this descriptor: if it is a connection's, it no longer grows.
  void keep_send_buffer(int fd);

 private:
  using Methods = std::vector<Napi::ClassPropertyDescriptor<JsEngine>>;
  using Method = Napi::Value (JsEngine::*)(const Napi::CallbackInfo& info);

  template <Method kMethod>
  static napi_value called(napi_env env, napi_callback_info arguments) {
    const Napi::CallbackInfo info(env, arguments);
    JsEngine* const engine = static_cast<Place*>(info.Data())->engine;
    return engine == nullptr ? nullptr : static_cast<napi_value>((engine->*kMethod)(info));
  }

  template <Method kMethod>
  static napi_property_descriptor method(const char* name) {
    napi_property_descriptor descriptor{};
    descriptor.utf8name = name;
    descriptor.method = called<kMethod>;
    return descriptor;
  }

  void deliver() override;
  // The argument of the clean-up hook. An object whose constructor has failed no longer exists by then.
  struct Ending {
    Engine* engine;
    JsEngine* self;
  };
  void closing() override;
  void call(const Napi::FunctionReference& handler);
  static void environment_ends(napi_async_cleanup_hook_handle handle, void* data);

  Napi::Value layout(Napi::Env env);
  Napi::Value set_turn_handler(const Napi::CallbackInfo& info);
  Napi::Value set_closing_handler(const Napi::CallbackInfo& info);
  Napi::Value call_when_closing(const Napi::CallbackInfo& info);
  Napi::Value provide_block(const Napi::CallbackInfo& info);
  Napi::Value lent_memory(const Napi::CallbackInfo& info);
  Napi::Value was_preempted(const Napi::CallbackInfo& info);
  Napi::Value set_spin(const Napi::CallbackInfo& info);
  Napi::Value counters(const Napi::CallbackInfo& info);
  Napi::Value set_header_names(const Napi::CallbackInfo& info);
  Napi::Value scan_request(const Napi::CallbackInfo& info);
  Napi::Value set_variable_names(const Napi::CallbackInfo& info);
  Napi::Value scan_variables(const Napi::CallbackInfo& info);
  // The bytes that a scan is called with: a memory or undefined, start and end. Empty if there are none.
  std::string_view scanned_bytes(const Napi::CallbackInfo& info) const;
  Napi::Value report_exception(const Napi::CallbackInfo& info);

  // --- js_engine_connect.cc ---
  static Methods connect_methods();
  Napi::Value connect(const Napi::CallbackInfo& info);
  Napi::Value prepare_connect(const Napi::CallbackInfo& info);
  Napi::Value try_connect(const Napi::CallbackInfo& info);
  Napi::Value adopt(const Napi::CallbackInfo& info);
  Napi::Value detach(const Napi::CallbackInfo& info);
  Napi::Value take_unread(const Napi::CallbackInfo& info);
  Napi::Value read_into(const Napi::CallbackInfo& info);
  Napi::Value set_reading(const Napi::CallbackInfo& info);
  Napi::Value shutdown(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value ref(const Napi::CallbackInfo& info);

  // --- js_engine_listen.cc ---
  static Methods listen_methods();
  Napi::Value listen(const Napi::CallbackInfo& info);
  Napi::Value adopt_listener(const Napi::CallbackInfo& info);
  Napi::Value take_accepted(const Napi::CallbackInfo& info);
  Napi::Value duplicate_listener(const Napi::CallbackInfo& info);
  Napi::Value listener_descriptor(const Napi::CallbackInfo& info);
  Napi::Value close_listener(const Napi::CallbackInfo& info);
  Napi::Value ref_listener(const Napi::CallbackInfo& info);
  Napi::Value set_accept_limit(const Napi::CallbackInfo& info);
  Napi::Value share_listener(const Napi::CallbackInfo& info);
  Napi::Value count_connections(const Napi::CallbackInfo& info);
  Napi::Value listener_address(const Napi::CallbackInfo& info);

  // --- js_engine_socket.cc ---
  static Methods socket_methods();
  Napi::Value set_no_delay(const Napi::CallbackInfo& info);
  Napi::Value set_keep_alive(const Napi::CallbackInfo& info);
  Napi::Value buffer_sizes(const Napi::CallbackInfo& info);
  Napi::Value peer_address(const Napi::CallbackInfo& info);
  Napi::Value local_address(const Napi::CallbackInfo& info);
  Napi::Value file_descriptor(const Napi::CallbackInfo& info);
  Napi::Value share_descriptor(const Napi::CallbackInfo& info);
  Napi::Value has_hung_up(const Napi::CallbackInfo& info);
  Napi::Value unread(const Napi::CallbackInfo& info);
  Napi::Value connection_counters(const Napi::CallbackInfo& info);
  Napi::Value duplicate(const Napi::CallbackInfo& info);
  Napi::Value open_pair(const Napi::CallbackInfo& info);

  // --- js_engine_write.cc ---
  static Methods write_methods();
  Napi::Value flush(const Napi::CallbackInfo& info);
  Napi::Value write_lent(const Napi::CallbackInfo& info);
  Napi::Value write_parts(const Napi::CallbackInfo& info);
  Napi::Value open_file(const Napi::CallbackInfo& info);
  Napi::Value file_size(const Napi::CallbackInfo& info);
  Napi::Value file_modified(const Napi::CallbackInfo& info);
  Napi::Value file_source(const Napi::CallbackInfo& info);
  Napi::Value close_file(const Napi::CallbackInfo& info);
  Napi::Value withdraw_file(const Napi::CallbackInfo& info);
  Napi::Value queued(const Napi::CallbackInfo& info);
  Napi::Value has_drained(const Napi::CallbackInfo& info);
  Napi::Value moved_at(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info, const FileTable* files);

  // --- js_engine_splice.cc ---
  static Methods splice_methods();
  Napi::Value splice(const Napi::CallbackInfo& info);
  Napi::Value receive_file(const Napi::CallbackInfo& info);
  Napi::Value finish_sink(const Napi::CallbackInfo& info);
  Napi::Value stop_sink(const Napi::CallbackInfo& info);
  Napi::Value sink_totals(const Napi::CallbackInfo& info);

  // The connection named by the call's argument, or nullptr.
  Connection* connection(const Napi::CallbackInfo& info, size_t argument = 0);
  Listener* listener(const Napi::CallbackInfo& info);

  // Deleted by the environment's clean-up hook, once libuv has closed the last handle.
  Engine* engine_;
  Ending* ending_ = nullptr;
  Napi::FunctionReference turn_handler_;
  Napi::FunctionReference closing_handler_;
  HeaderNames header_names_;
  RequestHead request_head_{};
  HeaderNames variable_names_;
  UwsgiHead uwsgi_head_{};
};

}  // namespace nearwire
