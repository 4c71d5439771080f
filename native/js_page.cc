#include "js_page.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "js_convert.h"

namespace nearwire {

namespace {

constexpr napi_type_tag kTag = {0x6e65617277697265, 0x2d706167652d3031};

Napi::Value number(Napi::Env env, int value) { return Napi::Number::New(env, value); }

// A number of bytes; 0 for anything else.
uint64_t bytes_in(const Napi::Value& value) {
  if (!value.IsNumber()) return 0;
  const int64_t number = value.As<Napi::Number>().Int64Value();
  return number > 0 ? static_cast<uint64_t>(number) : 0;
}

void adjust(napi_env env, int64_t bytes) {
  int64_t total = 0;
  napi_adjust_external_memory(env, bytes, &total);
}

// The state that the finalizer of a lent mapping needs.
struct Lent {
  std::unique_ptr<PageMapping> mapping;
  // Whether the ArrayBuffer can transfer its memory to another one.
  bool moves;
  // The ArrayBuffer, held weakly, and its witness; nullptr before it is lent.
  napi_ref buffer = nullptr;
  napi_ref witness = nullptr;
  // The environment is being torn down, and the ArrayBuffer no longer has its memory: another one may have it.
  bool is_astray = false;
};

// Whether an ArrayBuffer can transfer its memory to another one, with `transfer()`, which Node 22 introduced (Node 20
// has it behind a flag). postMessage() does not move external memory.
bool memory_moves(napi_env env) {
  constexpr uint32_t kFirstWithTransfer = 21;
  const napi_node_version* version = nullptr;
  if (napi_get_node_version(env, &version) != napi_ok || version->major >= kFirstWithTransfer) return true;
  const Napi::Value type = Napi::Env(env).Global().Get("ArrayBuffer");
  const Napi::Value prototype = type.IsFunction() ? type.As<Napi::Object>().Get("prototype") : Napi::Value();
  return !prototype.IsObject() || prototype.As<Napi::Object>().Has("transfer");
}

// Whether the lent ArrayBuffer still has its memory. If not, `transfer()` has given it to another one.
bool keeps_memory(napi_env env, napi_ref reference) {
  const Napi::HandleScope scope(env);
  napi_value buffer = nullptr;
  if (napi_get_reference_value(env, reference, &buffer) != napi_ok || buffer == nullptr) return false;
  bool detached = true;
  return napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && !detached;
}

// The finalizer of a witness, which is referenced as long as its mapping is lent: only the environment's teardown runs
// it.
void bear_witness(napi_env env, void*, void* hint) {
  const std::unique_ptr<std::shared_ptr<Lent>> held(static_cast<std::shared_ptr<Lent>*>(hint));
  Lent& lent = **held;
  lent.is_astray = lent.mapping && lent.moves && lent.buffer != nullptr && !keeps_memory(env, lent.buffer);
}

// An environment that is torn down detaches external memory and finalizes it, no matter which ArrayBuffer has it:
// `transfer()` may have given it to one that belongs to another thread by now. Once it is detached that is no longer
// visible. So an ArrayBuffer that is created later, and thus finalized earlier, checks for it. Its own byte is never
// exposed.
void add_witness(napi_env env, const std::shared_ptr<Lent>& lent) {
  auto* hint = new std::shared_ptr<Lent>(lent);
  napi_value witness = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, lent.get(), 1, bear_witness, hint, &witness);
  if (status == napi_ok) napi_create_reference(env, witness, 1, &lent->witness);
  if (is_untaken(status)) delete hint;
}

void take_back(napi_env env, void*, void* hint) {
  const std::unique_ptr<std::shared_ptr<Lent>> held(static_cast<std::shared_ptr<Lent>*>(hint));
  Lent& lent = **held;
  // It was never lent: making the ArrayBuffer failed.
  if (!lent.mapping) return;
  // Its current owner is unknown: the memory is leaked on purpose. (If this runs before the witness, V8 has freed the
  // ArrayBuffer by itself, and no other one has the memory.)
  if (lent.is_astray) static_cast<void>(lent.mapping.release());
  for (napi_ref* reference : {&lent.buffer, &lent.witness}) {
    if (*reference != nullptr) napi_delete_reference(env, std::exchange(*reference, nullptr));
  }
  // The witness may outlive this.
  lent.mapping.reset();
}

}  // namespace

Napi::Function JsPage::define(Napi::Env env) {
  return DefineClass(env, "NativePage",
                     {InstanceMethod<&JsPage::reserve>("reserve"), InstanceMethod<&JsPage::open>("open"),
                      InstanceMethod<&JsPage::append>("append"), InstanceMethod<&JsPage::seal>("seal"),
                      InstanceMethod<&JsPage::map>("map"), InstanceMethod<&JsPage::read>("read"),
                      InstanceMethod<&JsPage::close>("close")});
}

JsPage::JsPage(const Napi::CallbackInfo& info) : JsObject<JsPage>(info, kTag) {}

JsPage::~JsPage() {
  if (told_ > 0) adjust(Env(), -told_);
}

std::shared_ptr<FileReference> JsPage::file(const Napi::Value& value) {
  const JsPage* found = of(value, kTag);
  return found == nullptr ? nullptr : Page::file(found->page_);
}

Napi::Value JsPage::reserve(const Napi::CallbackInfo& info) {
  return number(info.Env(), page_->share().add(bytes_in(info[0]), bytes_in(info[1])));
}

Napi::Value JsPage::open(const Napi::CallbackInfo& info) { return number(info.Env(), page_->open()); }

Napi::Value JsPage::append(const Napi::CallbackInfo& info) {
  const iovec bytes = bytes_of(info.Env(), info[0]);
  return number(info.Env(), page_->append(bytes.iov_base, bytes.iov_len));
}

Napi::Value JsPage::seal(const Napi::CallbackInfo& info) { return number(info.Env(), page_->seal()); }

Napi::Value JsPage::map(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::unique_ptr<PageMapping> mapping;
  const int error = page_->map(&mapping);
  if (error < 0) return number(env, error);
  return lend(env, std::move(mapping));
}

Napi::Value JsPage::read(const Napi::CallbackInfo& info) {
  const iovec into = bytes_of(info.Env(), info[0]);
  return number(info.Env(), page_->read(into.iov_base, into.iov_len));
}

// A mapping or a queue that shares the page keeps it.
Napi::Value JsPage::close(const Napi::CallbackInfo& info) {
  page_ = std::make_shared<Page>();
  return info.Env().Undefined();
}

// V8 counts the bytes of each ArrayBuffer as external memory, so a page with two mappings counts twice. We must not
// correct that: V8 subtracts an ArrayBuffer's bytes when it frees it, before any finalizer runs, and Node 24 aborts the
// process if the count would become negative.
Napi::Value JsPage::lend(Napi::Env env, std::unique_ptr<PageMapping> mapping) {
  void* at = mapping->at();
  const size_t size = mapping->size();
  auto lent = std::make_shared<Lent>(Lent{std::move(mapping), memory_moves(env)});
  auto* hint = new std::shared_ptr<Lent>(lent);
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(env, at, size, take_back, hint, &buffer);
  if (status == napi_ok) {
    napi_create_reference(env, buffer, 0, &lent->buffer);
    add_witness(env, lent);
    return {env, buffer};
  }
  if (is_untaken(status)) delete hint;
  if (status != napi_no_external_buffers_allowed) {
    // The environment is being torn down.
    lent->mapping.reset();
    return number(env, -ECANCELED);
  }
  // External memory is not allowed (Electron): make a copy, in addition to the memory that is sent.
  void* to = nullptr;
  if (napi_create_arraybuffer(env, size, &to, &buffer) != napi_ok) return number(env, -ENOMEM);
  memcpy(to, at, size);
  if (told_ == 0) adjust(env, told_ = static_cast<int64_t>(size));
  return {env, buffer};
}

}  // namespace nearwire
