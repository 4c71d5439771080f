#include "js_parts.h"

#include <utility>

#include "js_convert.h"
#include "js_page.h"

namespace nearwire {

namespace {

// Reads all elements before any is used: a getter may detach the memory of earlier ones.
std::vector<Napi::Value> elements(const Napi::Array& array) {
  std::vector<Napi::Value> values;
  const uint32_t length = array.Length();
  values.reserve(length);
  for (uint32_t i = 0; i < length && !array.Env().IsExceptionPending(); ++i) values.push_back(array.Get(i));
  return values;
}

// -1 for anything that is not a number.
int64_t number_at(napi_env env, const std::vector<Napi::Value>& elements, size_t index) {
  int64_t number = -1;
  if (index < elements.size()) napi_get_value_int64(env, elements[index], &number);
  return number;
}

}  // namespace

JsParts::JsParts(napi_env env, const Napi::Array& array, const FileTable* files) : env_(env) {
  const std::vector<Napi::Value> values = elements(array);
  valid_ = !array.Env().IsExceptionPending();
  for (size_t i = 0; i < values.size() && valid_; ++i) {
    const iovec bytes = bytes_of(env, values[i]);
    if (bytes.iov_len > 0) {
      values_.push_back(values[i]);
      parts_.push_back(bytes);
    } else if (files != nullptr && !values[i].IsTypedArray()) {
      add_file(values, i, *files);
      i += 2;
    }
  }
}

void JsParts::add_file(const std::vector<Napi::Value>& elements, size_t at, const FileTable& files) {
  const int64_t id = number_at(env_, elements, at);
  const int64_t offset = number_at(env_, elements, at + 1);
  const int64_t length = number_at(env_, elements, at + 2);
  auto file = id < 0 ? JsPage::file(elements[at]) : id > INT32_MAX ? nullptr : files.get(static_cast<int32_t>(id));
  valid_ = valid_ && file != nullptr && offset >= 0 && length >= 0 && offset <= INT64_MAX - length;
  if (files_.empty()) first_file_ = parts_.size();
  values_.push_back(nullptr);
  parts_.push_back({nullptr, files_.size()});
  files_.push_back({std::move(file), static_cast<uint64_t>(offset), static_cast<uint64_t>(length)});
}

// When WebAssembly memory grows, its views are detached although the bytes stay where they are: node continues to send
// them. Node-API does not reveal the kind of an ArrayBuffer, but a multiple of 64 KiB and a partial view are signs of
// it.
bool JsParts::may_lose_buffer(size_t index) {
  constexpr size_t kWasmPage = 64 * 1024;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  napi_value buffer = nullptr;
  if (napi_get_typedarray_info(env_, values_[index], &type, &length, nullptr, &buffer, nullptr) != napi_ok)
    return false;
  void* data = nullptr;
  size_t whole = 0;
  if (napi_get_arraybuffer_info(env_, buffer, &data, &whole) != napi_ok) return false;
  return length < whole && whole % kWasmPage == 0;
}

std::unique_ptr<HeldMemory> JsParts::hold(size_t index) { return std::make_unique<HeldBuffer>(env_, values_[index]); }

}  // namespace nearwire
