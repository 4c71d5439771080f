// Reads of files by their descriptors, for JavaScript.
#pragma once

#include <napi.h>

namespace nearwire::js_file_reads {

// (fd, memory, offset): bytes read, or a negative errno. See sys::read_resident.
Napi::Value read_resident(const Napi::CallbackInfo& info);
// (fd): the device and the inode of a regular file, or a negative errno.
Napi::Value identify_file(const Napi::CallbackInfo& info);

}  // namespace nearwire::js_file_reads
