// The engine's methods for writing, and for files to be sent.
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "js_arguments.h"
#include "js_engine.h"
#include "js_parts.h"

namespace nearwire {

JsEngine::Methods JsEngine::write_methods() {
  return {method<&JsEngine::flush>("flush"),
          method<&JsEngine::write_lent>("writeLent"),
          method<&JsEngine::write_parts>("writeParts"),
          method<&JsEngine::open_file>("openFile"),
          method<&JsEngine::file_size>("fileSize"),
          method<&JsEngine::file_modified>("fileModified"),
          method<&JsEngine::file_source>("fileSource"),
          method<&JsEngine::close_file>("closeFile"),
          method<&JsEngine::withdraw_file>("withdrawFile"),
          method<&JsEngine::queued>("queued"),
          method<&JsEngine::has_drained>("hasDrained"),
          method<&JsEngine::moved_at>("movedAt")};
}

Napi::Value JsEngine::flush(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return number(info, 0);
  return number(info, static_cast<double>(engine_->flush()));
}

Napi::Value JsEngine::send(const Napi::CallbackInfo& info, const FileTable* files) {
  if (engine_ == nullptr) return number(info, -EBADF);
  if (!info[1].IsArray()) return number(info, -EBADF);
  // Getters among the elements may close the connection, or do anything else.
  JsParts parts(info.Env(), info[1].As<Napi::Array>(), files);
  engine_->gather();
  Connection* to = connection(info);
  if (to == nullptr) return number(info, -EBADF);
  const int error = parts.valid() ? to->send(&parts) : -EINVAL;
  return number(info, error < 0 ? error : static_cast<double>(to->queued()));
}

Napi::Value JsEngine::write_lent(const Napi::CallbackInfo& info) { return send(info, nullptr); }

Napi::Value JsEngine::write_parts(const Napi::CallbackInfo& info) {
  return send(info, engine_ == nullptr ? nullptr : &engine_->files());
}

Napi::Value JsEngine::open_file(const Napi::CallbackInfo& info) {
  if (engine_ == nullptr) return number(info, -EBADF);
  std::shared_ptr<FileReference> file;
  const int error = info[0].IsString()
                        ? FileReference::of_cached_path(info[0].As<Napi::String>().Utf8Value().c_str(), &file)
                        : FileReference::of_descriptor(integer(info, 0), &file);
  return number(info, error < 0 ? error : engine_->files().add(std::move(file)));
}

Napi::Value JsEngine::file_size(const Napi::CallbackInfo& info) {
  const auto file = engine_ == nullptr ? nullptr : engine_->files().get(integer(info, 0));
  if (file == nullptr) return number(info, -EBADF);
  return number(info, file->size() == FileReference::kUnknownSize ? -ESPIPE : static_cast<double>(file->size()));
}

Napi::Value JsEngine::file_modified(const Napi::CallbackInfo& info) {
  const auto file = engine_ == nullptr ? nullptr : engine_->files().get(integer(info, 0));
  return number(info, file == nullptr ? -EBADF : static_cast<double>(file->modified()));
}

Napi::Value JsEngine::file_source(const Napi::CallbackInfo& info) {
  const auto file = engine_ == nullptr ? nullptr : engine_->files().get(integer(info, 0));
  return number(info, file == nullptr ? -EBADF : file->fd());
}

Napi::Value JsEngine::close_file(const Napi::CallbackInfo& info) {
  if (engine_ != nullptr) engine_->files().remove(integer(info, 0));
  return info.Env().Undefined();
}

Napi::Value JsEngine::withdraw_file(const Napi::CallbackInfo& info) {
  Connection* found = connection(info);
  const auto file = engine_ == nullptr ? nullptr : engine_->files().get(integer(info, 1));
  return Napi::Boolean::New(info.Env(), found != nullptr && file != nullptr && found->withdraw(file.get()));
}

Napi::Value JsEngine::queued(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return number(info, found == nullptr ? 0 : static_cast<double>(found->waiting()));
}

Napi::Value JsEngine::has_drained(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return Napi::Boolean::New(info.Env(), found != nullptr && found->has_drained());
}

Napi::Value JsEngine::moved_at(const Napi::CallbackInfo& info) {
  const Connection* found = connection(info);
  return number(info, found == nullptr ? 0 : static_cast<double>(found->moved_at()));
}

}  // namespace nearwire
