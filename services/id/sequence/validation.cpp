#include "id/sequence/validation.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace zerosuite::id {
namespace {

constexpr std::size_t kLongestName = 128;         // Leaf's varchar(128)
constexpr std::size_t kLongestDescription = 256;  // and varchar(256)
constexpr std::int64_t kMostStep = 1'000'000;
constexpr std::int64_t kMostDelta = 1'000'000'000;
constexpr std::int64_t kMostValue = kEndOfValues - 1;

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
  core::check_range("start", tag.next, 1, kMostValue);
  core::check_range("step", tag.step, 1, kMostStep);
  core::check_range("delta", tag.delta, 1, kMostDelta);
  core::check_range("remainder", tag.remainder, 0, tag.delta - 1);
  core::check_range("max", tag.max, tag.next, kMostValue);
  check_description(tag.description);
}

void check_change(const TagChange& change, std::int64_t delta, std::int64_t remainder) {
  core::check_range("floor", change.floor.value_or(1), 1, kMostValue);
  core::check_range("step", change.step.value_or(1), 1, kMostStep);
  core::check_range("delta", delta, 1, kMostDelta);
  core::check_range("remainder", remainder, 0, delta - 1);
  core::check_range("max", change.max.value_or(1), 1, kMostValue);
  check_description(change.description.value_or(""));
}

}  // namespace zerosuite::id
