// What takes a connection's bytes in place of JS: a splice into another connection, or a file.
#pragma once

#include <uv.h>

#include <cstdint>
#include <limits>

namespace nearwire {

class Sink {
 public:
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

  explicit Sink(uint64_t limit) : limit_(limit) {}
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // The connection is readable, and the turn has room.
  virtual void run() = 0;
  // Whether the connection is to be watched for bytes.
  virtual bool wants_bytes() const = 0;
  // Asked before `stop` where the connection lives on: what the connection's socket has told of its end, and is not
  // told of yet, is the connection's to tell.
  virtual void return_end() {}
  // The last call, from JS or from the connection's close: what has been taken goes on to where it was going, and a
  // pipe that still holds bytes is thrown away.
  virtual void stop() = 0;

  // Takes nothing more, and says so once what it has taken has arrived.
  virtual void finish() {}
  // Bytes are on their way there, and will arrive though it is stopped.
  virtual bool is_writing() const { return false; }
  // Bytes that are where they were to go.
  virtual uint64_t arrived() const = 0;

  // Bytes taken from the connection.
  uint64_t moved() const { return moved_; }
  // When bytes last moved, in or out (uv_hrtime); 0: never.
  uint64_t last_moved() const { return last_moved_; }

 protected:
  void touch() { last_moved_ = uv_hrtime(); }
  uint64_t left() const { return limit_ - moved_; }

  uint64_t moved_ = 0;
  uint64_t last_moved_ = 0;
  // Bytes after which it takes no more, and says so.
  const uint64_t limit_;
};

}  // namespace nearwire
