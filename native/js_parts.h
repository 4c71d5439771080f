// The parts of one write as passed by JavaScript: an array of Uint8Arrays and, if there is a table, of files.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "connection.h"
#include "file_reference.h"

namespace nearwire {

class JsParts final : public SentParts {
 public:
  // A file takes three elements: its id in `files`, or a sealed page (see JsPage), an offset and a length.
  JsParts(napi_env env, const Napi::Array& array, const FileTable* files);

  // False: a file does not exist, or its range is invalid.
  bool valid() const { return valid_; }
  size_t count() const override { return parts_.size(); }
  size_t first_file() const override { return files_.empty() ? parts_.size() : first_file_; }
  const FileRange* file(size_t index) const override {
    return parts_[index].iov_base == nullptr ? &files_[parts_[index].iov_len] : nullptr;
  }
  iovec part(size_t index) const override { return parts_[index]; }
  std::unique_ptr<HeldMemory> hold(size_t index) override;
  bool may_lose_buffer(size_t index) override;

 private:
  void add_file(const std::vector<Napi::Value>& elements, size_t at, const FileTable& files);

  napi_env env_;
  std::vector<napi_value> values_;
  // The part of a file has no address, and its index among the files as length.
  std::vector<iovec> parts_;
  std::vector<FileRange> files_;
  size_t first_file_ = 0;
  bool valid_ = true;
};

}  // namespace nearwire
