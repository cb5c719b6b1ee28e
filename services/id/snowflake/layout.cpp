#include "id/snowflake/layout.hpp"

#include "core/error.hpp"

namespace zerosuite::id {
namespace {

// Rounds down, also for times before 1970.
std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

std::int64_t lowest(std::int64_t value, int bits) { return value & ((std::int64_t{1} << bits) - 1); }

}  // namespace

std::int64_t Layout::compose(const Parts& parts) const {
  const std::int64_t low = worker_lowest ? parts.sequence << worker_bits | parts.worker
                                         : parts.worker << sequence_bits | parts.sequence;
  return parts.tick << (worker_bits + sequence_bits) | low;
}

Parts Layout::parse(std::int64_t id) const {
  const int low = worker_bits + sequence_bits;
  if (id < 0 || id >> low >= ticks())
    throw core::Failure(core::kInvalidArgument, "an id of layout " + name + " is from 0 to 2^" +
                                                    std::to_string(tick_bits + low) + "-1, not " +
                                                    std::to_string(id));
  Parts parts{.tick = id >> low, .worker = 0, .sequence = 0};
  parts.worker = lowest(worker_lowest ? id : id >> sequence_bits, worker_bits);
  parts.sequence = lowest(worker_lowest ? id >> worker_bits : id, sequence_bits);
  return parts;
}

std::int64_t Layout::tick_at(std::int64_t time_ns) const {
  return floor_div(time_ns - epoch_ms * 1'000'000, unit_us * 1000);
}

std::int64_t Layout::time_ns(std::int64_t tick) const { return epoch_ms * 1'000'000 + tick * unit_us * 1000; }

std::string Layout::fingerprint() const {
  const std::string low = worker_lowest
                              ? std::to_string(sequence_bits) + "s/" + std::to_string(worker_bits) + "w"
                              : std::to_string(worker_bits) + "/" + std::to_string(sequence_bits);
  return std::to_string(tick_bits) + "/" + low + "@" + std::to_string(epoch_ms) + "+" +
         std::to_string(unit_us) + "us";
}

}  // namespace zerosuite::id
