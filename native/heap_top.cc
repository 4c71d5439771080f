#include "heap_top.h"

#include <functional>
#include <utility>

namespace nearwire {

void HeapTop::raise() {
  counted_ = 0;
  std::unique_ptr<char[]> block(new char[kBlock]);
  if (std::greater<>()(block.get(), highest_.get())) highest_ = std::move(block);
}

void HeapTop::begin_period(uint64_t now) {
  began_ = now;
  before_ = std::move(highest_);
}

void HeapTop::clear() {
  highest_.reset();
  before_.reset();
}

}  // namespace nearwire
