#include "tally.h"

#include <algorithm>
#include <bit>

#include "check.h"
#include "connection.h"

namespace nearwire {

namespace {

void add(TallyCounters* to, const ConnectionCounters& from) {
  to->messages += from.read.messages;
  to->bytes_read += from.read.bytes;
  to->bytes_written += from.write.bytes;
  to->reads += from.read.reads;
  to->read_eagains += from.read.eagains;
  to->sends += from.write.sends;
  to->partial_sends += from.write.partial;
  to->send_eagains += from.write.eagains;
  to->waits += from.write.waits;
  to->wait_nanos += from.write.wait_nanos;
}

}  // namespace

uint32_t Tally::join(Connection* connection) {
  living_.push_back(connection);
  return static_cast<uint32_t>(living_.size() - 1);
}

void Tally::leave(const Connection& connection, uint32_t place) {
  NEARWIRE_CHECK(living_[place] == &connection);
  add(&sums_, connection.counters_now());
  if (connection.answer_under_way() > 0) note_answer(connection.answer_under_way());
  living_[place] = living_.back();
  living_[place]->set_tally_place(place);
  living_.pop_back();
}

TallyCounters Tally::totals() const {
  TallyCounters totals = sums_;
  totals.active = living_.size();
  for (const Connection* connection : living_) add(&totals, connection->counters_now());
  return totals;
}

Tally::Sizes Tally::answers(bool under_way) const {
  Sizes sizes = sizes_;
  if (!under_way) return sizes;
  for (const Connection* connection : living_) {
    if (connection->answer_under_way() > 0) ++sizes[size_class(connection->answer_under_way())];
  }
  return sizes;
}

// The power of two, and the two bits after its leading one.
size_t Tally::size_class(uint64_t bytes) {
  const auto power = static_cast<size_t>(std::bit_width(bytes | 4) - 1);
  return std::min<size_t>(4 * power + ((bytes >> (power - 2)) & 3), kSizeClasses - 1);
}

}  // namespace nearwire
