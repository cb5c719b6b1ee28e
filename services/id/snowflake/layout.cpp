#include "id/snowflake/layout.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "core/error.hpp"

namespace zerosuite::id {
namespace {

// Rounds down, also for times before 1970.
std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

std::int64_t lowest(std::int64_t value, int bits) { return value & ((std::int64_t{1} << bits) - 1); }

constexpr std::int64_t kYear2020 = 1'577'836'800'000;

// Where each comes from:
// twitter      twitter-archive/snowflake, tag snowflake-2010, IdWorker.scala; Leaf has the same
// discord      discord.com/developers/docs/reference, "Snowflakes"
// pysnowflake  tarzanjw/pysnowflake, the PyPI package
// sony         sony/sonyflake, the default settings of its first version
// insta        Instagram Engineering, "Sharding & IDs at Instagram", 2012
//              (its 41st bit of time is the sign of PostgreSQL's bigint)
// baidu        baidu/uid-generator, the default settings
// crdb         CockroachDB, GenerateUniqueInt: no sequence, the next tick instead
// js53, js53s  fit the integers of JavaScript, 2^53; ours
const std::array<Layout, 9> kNamed = {
    Layout{.name = "twitter", .epoch_ms = 1'288'834'974'657, .datacenter_bits = 5},
    Layout{.name = "discord", .epoch_ms = 1'420'070'400'000, .datacenter_bits = 5},
    Layout{.name = "pysnowflake",
           .epoch_ms = 550'281'600'000,
           .datacenter_bits = 2,
           .start = SequenceStart::kOne},
    Layout{.name = "sony",
           .epoch_ms = 1'409'529'600'000,
           .unit_us = 10'000,
           .tick_bits = 39,
           .worker_bits = 16,
           .sequence_bits = 8,
           .worker_lowest = true},
    Layout{.name = "insta",
           .epoch_ms = 1'314'220'021'721,
           .tick_bits = 40,
           .worker_bits = 13,
           .sequence_bits = 10},
    Layout{.name = "baidu",
           .epoch_ms = 1'463'673'600'000,
           .unit_us = 1'000'000,
           .tick_bits = 28,
           .worker_bits = 22,
           .sequence_bits = 13},
    Layout{.name = "crdb",
           .epoch_ms = 1'420'070'400'000,
           .unit_us = 10,
           .tick_bits = 48,
           .worker_bits = 15,
           .sequence_bits = 0},
    Layout{.name = "js53", .epoch_ms = kYear2020, .worker_bits = 6, .sequence_bits = 6},
    Layout{.name = "js53s",
           .epoch_ms = kYear2020,
           .unit_us = 1'000'000,
           .tick_bits = 32,
           .worker_bits = 5,
           .sequence_bits = 16},
};

constexpr std::string_view kCustom = "custom:";

// Parses numbers and the separators between them from the front of a text.
class Words {
 public:
  explicit Words(std::string_view rest) : rest_(rest) {}

  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  bool take(std::string_view sign) {
    if (!rest_.starts_with(sign)) return false;
    rest_.remove_prefix(sign.size());
    return true;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

[[noreturn]] void refuse_custom(std::string_view name, const std::string& why) {
  throw core::Failure(
      core::kInvalidArgument,
      "layout " + std::string(name) + ": " + why +
          "; expected custom:TICK/WORKER/SEQUENCE@EPOCH_MS, and +10ms or the like for the tick");
}

std::int64_t part(Words& words, std::string_view name, std::string_view sign) {
  const auto value = words.number();
  if (!value || !words.take(sign)) refuse_custom(name, "not understood");
  return *value;
}

std::int64_t unit_us(Words& words, std::string_view name) {
  if (words.done()) return 1000;
  if (!words.take("+")) refuse_custom(name, "not understood");
  const std::int64_t value = words.number().value_or(-1);
  const std::int64_t scale = words.take("us") ? 1 : words.take("ms") ? 1000 : 0;
  if (value < 0 || scale == 0 || !words.done()) refuse_custom(name, "not understood");
  constexpr std::int64_t kMost = 3'600'000;
  if (value < 1 || value > kMost) refuse_custom(name, "a tick is from 1 to 3600000 us or ms");
  return value * scale;
}

// In doubles, because the exact sum may overflow 64 bits.
bool fits_the_clock(const Layout& layout) {
  const double end_ms = static_cast<double>(layout.epoch_ms) +
                        static_cast<double>(layout.ticks()) * static_cast<double>(layout.unit_us) / 1e3;
  return end_ms < static_cast<double>(std::numeric_limits<std::int64_t>::max()) / 1e6;
}

Layout custom(std::string_view name) {
  Words words(name.substr(kCustom.size()));
  const std::int64_t ticks = part(words, name, "/");
  const std::int64_t workers = part(words, name, "/");
  const std::int64_t sequences = part(words, name, "@");
  const auto epoch_ms = words.number();
  if (!epoch_ms) refuse_custom(name, "not understood");
  if (ticks < 1 || ticks > 62 || workers > 31 || sequences > 31 || ticks + workers + sequences > 63)
    refuse_custom(name, "at least one bit of ticks, at most 31 of workers and of sequence, and 63 in all");
  Layout layout{.name = std::string(name),
                .epoch_ms = *epoch_ms,
                .unit_us = unit_us(words, name),
                .tick_bits = static_cast<int>(ticks),
                .worker_bits = static_cast<int>(workers),
                .sequence_bits = static_cast<int>(sequences)};
  if (!fits_the_clock(layout)) refuse_custom(name, "its last tick is later than the year 2262");
  return layout;
}

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

std::span<const Layout> named_layouts() { return kNamed; }

Layout layout_of(std::string_view name) {
  if (name.starts_with(kCustom)) return custom(name);
  std::string known;
  for (const Layout& layout : kNamed) {
    if (layout.name == name) return layout;
    known += layout.name + " ";
  }
  throw core::Failure(core::kNoSuchLayout,
                      "no layout " + std::string(name) + "; there are " + known + "and custom:…");
}

}  // namespace zerosuite::id
