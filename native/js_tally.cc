#include "js_tally.h"

#include <algorithm>
#include <vector>

#include "connection.h"
#include "counts.h"
#include "js_arguments.h"
#include "js_convert.h"
#include "sys.h"

namespace nearwire {

namespace {

constexpr napi_type_tag kTag = {0x6e65617277697265, 0x2d74616c6c793031};

}  // namespace

Napi::Function JsTally::define(Napi::Env env) {
  return DefineClass(env, "NativeTally",
                     {InstanceMethod<&JsTally::totals>("totals"), InstanceMethod<&JsTally::answers>("answers"),
                      InstanceMethod<&JsTally::send_buffers>("sendBuffers")});
}

JsTally::JsTally(const Napi::CallbackInfo& info) : JsObject<JsTally>(info, kTag) {}

std::shared_ptr<Tally> JsTally::tally(const Napi::Value& value) {
  const JsTally* found = of(value, kTag);
  return found == nullptr ? nullptr : found->tally_;
}

Napi::Value JsTally::totals(const Napi::CallbackInfo& info) {
  return float64_array(info.Env(), values_of(counts_of(tally_->totals())));
}

Napi::Value JsTally::answers(const Napi::CallbackInfo& info) {
  return float64_array(info.Env(), tally_->answers(boolean(info, 0)));
}

Napi::Value JsTally::send_buffers(const Napi::CallbackInfo& info) {
  const std::vector<Connection*>& living = tally_->living();
  const size_t most = std::min(living.size(), static_cast<size_t>(count(info, 0)));
  std::vector<int> sizes;
  for (size_t i = 0; i < most; ++i) sizes.push_back(sys::get_option(living[i]->fd(), SOL_SOCKET, SO_SNDBUF));
  return float64_array(info.Env(), sizes);
}

}  // namespace nearwire
