#include "id/sequence/validation.hpp"

#include "core/error.hpp"

namespace zerosuite::id {
namespace {

constexpr std::size_t kLongestName = 128;         // Leaf's varchar(128)
constexpr std::size_t kLongestDescription = 256;  // and varchar(256)
constexpr std::int64_t kMostStep = 1'000'000;
constexpr std::int64_t kMostDelta = 1'000'000'000;
constexpr std::int64_t kMostValue = kEndOfValues - 1;

struct Bounds {
  std::int64_t low;
  std::int64_t high;
};

void check(std::string_view what, std::int64_t value, Bounds bounds) {
  if (value >= bounds.low && value <= bounds.high) return;
  throw core::Failure(core::kInvalidArgument,
                      std::string(what) + " must be from " + std::to_string(bounds.low) + " to " +
                          std::to_string(bounds.high) + ", not " + std::to_string(value));
}

void check_description(const std::string& description) {
  if (description.size() <= kLongestDescription) return;
  throw core::Failure(core::kInvalidArgument, "desc must have at most " +
                                                  std::to_string(kLongestDescription) + " bytes, not " +
                                                  std::to_string(description.size()));
}

}  // namespace

void check_name(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= kLongestName) return;
  throw core::Failure(core::kInvalidArgument, std::string(what) + " must have 1 to " +
                                                  std::to_string(kLongestName) + " bytes, not " +
                                                  std::to_string(name.size()));
}

void check_tag(const Tag& tag) {
  check_name("tag", tag.name);
  check("start", tag.next, {1, kMostValue});
  check("step", tag.step, {1, kMostStep});
  check("delta", tag.delta, {1, kMostDelta});
  check("remainder", tag.remainder, {0, tag.delta - 1});
  check("max", tag.max, {tag.next, kMostValue});
  check_description(tag.description);
}

void check_change(const TagChange& change, std::int64_t delta, std::int64_t remainder) {
  check("floor", change.floor.value_or(1), {1, kMostValue});
  check("step", change.step.value_or(1), {1, kMostStep});
  check("delta", delta, {1, kMostDelta});
  check("remainder", remainder, {0, delta - 1});
  check("max", change.max.value_or(1), {1, kMostValue});
  check_description(change.description.value_or(""));
}

}  // namespace zerosuite::id
