#include "header_names.h"

namespace nearwire {

size_t HeaderNames::first_slot(std::string_view name) {
  const auto at = [name](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(name[i])); };
  return (name.size() * 37 + at(0) * 5 + at(name.size() / 2) * 11 + at(name.size() - 1) * 3) % kSlots;
}

bool HeaderNames::add(std::string_view name) {
  if (name.empty() || names_.size() == kMost) return false;
  size_t slot = first_slot(name);
  while (slots_[slot] != 0) slot = (slot + 1) % kSlots;
  names_.emplace_back(name);
  slots_[slot] = static_cast<uint16_t>(names_.size());
  return true;
}

int32_t HeaderNames::find(std::string_view name) const {
  if (name.empty()) return kUnknown;
  for (size_t slot = first_slot(name); slots_[slot] != 0; slot = (slot + 1) % kSlots) {
    const int32_t index = slots_[slot] - 1;
    if (names_[static_cast<size_t>(index)] == name) return index;
  }
  return kUnknown;
}

}  // namespace nearwire
