#include "js_abi.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "balance.h"
#include "buffers.h"
#include "counts.h"
#include "engine.h"
#include "options.h"
#include "request_head.h"
#include "slab.h"
#include "turn.h"
#include "uwsgi_variables.h"

namespace nearwire {

namespace {

using Named = std::pair<const char*, double>;

template <size_t N>
Napi::Object object_of(Napi::Env env, const std::array<Named, N>& values) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, value] : values) object.Set(name, value);
  return object;
}

template <size_t N>
Napi::Array names_of(Napi::Env env, const std::array<Count, N>& counts) {
  Napi::Array names = Napi::Array::New(env, N);
  for (uint32_t i = 0; i < N; ++i) names.Set(i, counts.at(i).name);
  return names;
}

constexpr double word(size_t offset) { return static_cast<double>(offset) / sizeof(int32_t); }

constexpr Named named(const char* name, Event event) { return {name, static_cast<double>(event)}; }

Napi::Object completions(Napi::Env env) {
  return object_of(env, std::to_array<Named>({
                            named("Lent", Event::kLent),
                            named("Inbox", Event::kInbox),
                            named("End", Event::kEnd),
                            named("Drain", Event::kDrain),
                            named("Connect", Event::kConnect),
                            named("ReadError", Event::kReadError),
                            named("WriteError", Event::kWriteError),
                            named("Accept", Event::kAccept),
                            named("AcceptError", Event::kAcceptError),
                            named("Shutdown", Event::kShutdown),
                            named("Into", Event::kInto),
                            named("Taken", Event::kTaken),
                            named("Dropped", Event::kDropped),
                            named("Block", Event::kBlock),
                        }));
}

Napi::Object shared_words(Napi::Env env) {
  return object_of(env, std::to_array<Named>({
                            {"Submitted", word(offsetof(SharedState, submitted))},
                            {"InTurn", word(offsetof(SharedState, in_turn))},
                            {"Gathered", word(offsetof(SharedState, gathered))},
                            {"Completions", word(offsetof(SharedState, completions))},
                            {"SlotsWanted", word(offsetof(SharedState, slots_wanted))},
                            {"Results", word(offsetof(SharedState, results))},
                            {"LentReplaced", word(offsetof(SharedState, lent_replaced))},
                            {"RanLong", word(offsetof(SharedState, ran_long))},
                        }));
}

Napi::Object request_head_words(Napi::Env env) {
  return object_of(env, std::to_array<Named>({
                            {"Method", word(offsetof(RequestHead, method))},
                            {"ContentLength", word(offsetof(RequestHead, content_length))},
                            {"HeaderCount", word(offsetof(RequestHead, header_count))},
                            {"MinorVersion", word(offsetof(RequestHead, minor_version))},
                            {"KeepsAlive", word(offsetof(RequestHead, keeps_alive))},
                            {"HasHost", word(offsetof(RequestHead, has_host))},
                            {"TargetStart", word(offsetof(RequestHead, target.start))},
                            {"TargetEnd", word(offsetof(RequestHead, target.end))},
                            {"Headers", word(offsetof(RequestHead, headers))},
                        }));
}

Napi::Object uwsgi_head_words(Napi::Env env) {
  return object_of(env, std::to_array<Named>({
                            {"VariableCount", word(offsetof(UwsgiHead, variable_count))},
                            {"ContentLength", word(offsetof(UwsgiHead, content_length))},
                            {"HeaderCount", word(offsetof(UwsgiHead, header_count))},
                            {"MethodStart", word(offsetof(UwsgiHead, method.start))},
                            {"MethodEnd", word(offsetof(UwsgiHead, method.end))},
                            {"UrlStart", word(offsetof(UwsgiHead, url.start))},
                            {"UrlEnd", word(offsetof(UwsgiHead, url.end))},
                            {"ProtocolStart", word(offsetof(UwsgiHead, protocol.start))},
                            {"ProtocolEnd", word(offsetof(UwsgiHead, protocol.end))},
                            {"Headers", word(offsetof(UwsgiHead, headers))},
                        }));
}

Napi::Object socket_kinds(Napi::Env env) {
  return object_of(env, std::to_array<Named>({
                            {"UnixConnection", kUnixConnection},
                            {"UnixListener", kUnixListener},
                            {"TcpConnection", kTcpConnection},
                            {"TcpListener", kTcpListener},
                            {"Other", kOtherSocket},
                        }));
}

}  // namespace

Napi::Object abi(Napi::Env env) {
  Napi::Object result = object_of(env, std::to_array<Named>({
                                           {"nobody", Turn::kNobody},
                                           {"completionWords", word(sizeof(Completion))},
                                           {"submissionWords", word(sizeof(Submission))},
                                           {"resultWords", word(sizeof(FlushResult))},
                                           {"turnBeganOffset", offsetof(SharedState, turn_began)},
                                           {"blockBytes", ReadBlocks::kReadSize},
                                           {"autoBuffer", BufferWish::kAutoBuffer},
                                           {"balancePlaces", Balance::kPlaces},
                                       }));
  result.Set("completions", completions(env));
  result.Set("shared", shared_words(env));
  result.Set("requestHead", request_head_words(env));
  result.Set("uwsgiHead", uwsgi_head_words(env));
  result.Set("socketKinds", socket_kinds(env));
  result.Set("engineCounters", names_of(env, counts_of(EngineCounters{}, SpinCounters{})));
  result.Set("connectionCounters", names_of(env, counts_of(ConnectionCounters{})));
  result.Set("serverCounters", names_of(env, counts_of(TallyCounters{})));
  return result;
}

}  // namespace nearwire
