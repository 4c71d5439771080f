// Receives a connection's bytes in place of JavaScript: a splice into another connection, or a file.
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
  // Whether the connection must be watched for bytes.
  virtual bool wants_bytes() const = 0;
  // Called before `stop` if the connection lives on: the connection itself must report the end that its socket has
  // returned, if the sink has not reported it yet.
  virtual void return_end() {}
  // The last call, from JavaScript or when the connection closes: bytes already taken continue to their destination,
  // and a pipe that still holds bytes is closed.
  virtual void stop() = 0;

  // Takes nothing more, and reports when everything taken has arrived.
  virtual void finish() {}
  // Whether bytes are on their way that will arrive even after a stop.
  virtual bool is_writing() const { return false; }
  // Bytes that have reached their destination.
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
  // The number of bytes after which it stops, and reports that.
  const uint64_t limit_;
};

}  // namespace nearwire
