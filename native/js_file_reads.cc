#include "js_file_reads.h"

#include <cerrno>
#include <cstdint>

#include "js_arguments.h"
#include "js_convert.h"
#include "sys.h"

namespace nearwire::js_file_reads {

Napi::Value read_resident(const Napi::CallbackInfo& info) {
  const iovec memory = bytes_of(info.Env(), info[1]);
  if (memory.iov_len == 0) return number(info, -EINVAL);
  int64_t offset = -1;
  napi_get_value_int64(info.Env(), info[2], &offset);
  return number(info,
                static_cast<double>(sys::read_resident(integer(info, 0), memory.iov_base, memory.iov_len, offset)));
}

Napi::Value identify_file(const Napi::CallbackInfo& info) {
  uint64_t device = 0;
  uint64_t inode = 0;
  const int error = sys::identify_file(integer(info, 0), &device, &inode);
  if (error < 0) return number(info, error);
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  // As node's fs.fstatSync() has them.
  result.Set(0U, static_cast<double>(device));
  result.Set(1U, static_cast<double>(inode));
  return result;
}

}  // namespace nearwire::js_file_reads
