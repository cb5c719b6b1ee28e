// The time that ids carry: it never goes back, and no step of the wall clock can stop or poison it.
//
// It follows CLOCK_BOOTTIME from where the wall clock stood at the start, and the wall clock forward. After a
// step back it runs ahead of the wall clock and is worked off by running a tenth slower, as leap smears do
// (https://developers.google.com/time/smear); a leap of the wall clock far forward is not followed until
// somebody confirms it.
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace zerosuite::id {

inline constexpr std::int64_t kNsPerMs = 1'000'000;

/// Both clocks at one moment, in ns: CLOCK_REALTIME since 1970 and CLOCK_BOOTTIME, which nothing steps and
/// which counts while the machine is suspended.
struct ClockReading {
  std::int64_t wall_ns = 0;
  std::int64_t boot_ns = 0;
};

/// The seam: the system's clocks, or a test's.
class Clocks {
 public:
  virtual ~Clocks() = default;
  virtual ClockReading read() const = 0;
};

class SystemClocks final : public Clocks {
 public:
  ClockReading read() const override;
};

struct ClockRules {
  core::milliseconds max_lead{600'000};  ///< So far behind the time of ids the wall clock may be set.
  /// And so much farther ahead of it ids may run: what was reserved before a restart is left out by the next
  /// one.
  core::milliseconds reserve_lead{60'000};
  core::milliseconds max_forward{60'000};   ///< A longer leap of the wall clock is not followed.
  core::milliseconds discontinuity{1'000};  ///< Such a step, either way, voids what was reserved before it.
};

/// What one look at the clocks says.
struct Now {
  std::int64_t ns = 0;       ///< Since 1970; never less than at an earlier look.
  std::int64_t boot_ns = 0;  ///< CLOCK_BOOTTIME
  std::uint64_t discontinuities =
      0;  ///< Rises with each discontinuity: the machine may have been paused or copied.
  /// Zero, or how long ids with times must not be issued because they would run too far ahead: ClockRollback.
  core::milliseconds wait{0};
};

/// Belongs to the loop's thread. Must not outlive its clocks.
class IdTime {
 public:
  explicit IdTime(const Clocks& clocks, const ClockRules& rules = {});

  /// Reads both clocks: once for each call that is served.
  Now look();
  /// Times up to `ns` were used before: it goes on from there.
  void raise(std::int64_t ns);
  /// Before the first id: begins at `ms` since 1970, another machine's time, when the wall clock is too far
  /// ahead of it.
  void distrust(std::int64_t ms);
  /// Follows the wall clock wherever it is: a store of another machine, or an operator, confirms it.
  void confirm();

  /// Now::breaks of the last look.
  std::uint64_t discontinuities() const { return discontinuities_; }
  /// How far ids run ahead of the wall clock; zero when they do not.
  core::milliseconds lead() const;
  /// ClockJump while the wall clock is too far ahead to be believed.
  std::optional<core::Error> jump() const;
  const ClockRules& rules() const { return rules_; }
  /// What the wall clock said at the last look, in ms since 1970.
  std::int64_t wall_ms() const { return seen_.wall_ns / 1'000'000; }

 private:
  std::int64_t advance(std::int64_t elapsed_ns);

  const Clocks& clocks_;
  const ClockRules rules_;
  ClockReading seen_;
  std::int64_t time_ns_;
  std::uint64_t discontinuities_ = 0;
  bool jumped_ = false;
};

/// A time in 32 bits, for ids that have no more. Throws core::Failure TimeExhausted.
std::uint32_t seconds_in_32_bits(std::int64_t seconds);

}  // namespace zerosuite::id
