// The object behind an id: a connection or a listener.
#pragma once

#include <cstdint>

namespace nearwire {

class Engine;

class Source {
 public:
  enum class Kind : uint8_t { kConnection, kListener };

  Source(Engine* engine, int32_t id) : engine_(engine), id_(id) {}
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  virtual Kind kind() const = 0;
  // -1 while it is free.
  virtual int fd() const = 0;
  int32_t id() const { return id_; }

 protected:
  Engine* const engine_;
  const int32_t id_;
};

}  // namespace nearwire
