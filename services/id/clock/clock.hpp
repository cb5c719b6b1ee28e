// The time in ids: it never goes back, and no step of the wall clock leads it far ahead.
//
// It starts at the wall clock's time, advances with CLOCK_BOOTTIME, and follows the wall clock forward. After
// a step back it is ahead of the wall clock, and runs a tenth slower until the lead is gone, as leap smears
// do (https://developers.google.com/time/smear); at a lead of ClockRules::max_lead it stands still. A large
// step forward is not followed until confirm().
#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace zerosuite::id {

inline constexpr std::int64_t kNsPerMs = 1'000'000;

/// Both clocks at one moment, in ns: CLOCK_REALTIME since 1970, and CLOCK_BOOTTIME, which is never stepped
/// and continues while the machine is suspended.
struct ClockReading {
  std::int64_t wall_ns = 0;
  std::int64_t boot_ns = 0;
};

/// The interface to the system's clocks, replaced in tests.
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
  core::milliseconds max_lead{600'000};  ///< How far the time in ids may lead the wall clock.
  /// An additional lead before ids are refused: each restart skips what was reserved before it.
  core::milliseconds reserve_lead{60'000};
  core::milliseconds max_forward{60'000};   ///< A larger forward step of the wall clock is not followed.
  core::milliseconds discontinuity{1'000};  ///< A larger step, either way, voids what was reserved before it.
};

/// The result of reading the clocks.
struct Now {
  std::int64_t ns = 0;                ///< Since 1970; never less than an earlier reading.
  std::int64_t boot_ns = 0;           ///< CLOCK_BOOTTIME
  std::uint64_t discontinuities = 0;  ///< Rises with each: the machine may have been paused or copied.
  /// How long ids with times must not be issued, because they would lead too far (ClockRollback); usually
  /// zero.
  core::milliseconds wait{0};
};

/// Belongs to the loop's thread. Must not outlive its clocks.
class IdTime {
 public:
  explicit IdTime(const Clocks& clocks, const ClockRules& rules = {});

  /// Reads both clocks; called once per method call.
  Now look();
  /// Times up to `ns` were used before: continues from there.
  void raise(std::int64_t ns);
  /// To be called before the first id: starts at `ms` since 1970, another machine's time, if the wall clock
  /// is too far ahead of it.
  void distrust(std::int64_t ms);
  /// Catches up with the wall clock, however far ahead it is: another machine's clock confirms it.
  void confirm();

  /// Now::discontinuities of the last look.
  std::uint64_t discontinuities() const { return discontinuities_; }
  /// How far ids lead the wall clock; zero if they do not.
  core::milliseconds lead() const;
  /// ClockJump while the wall clock is too far ahead to be believed.
  std::optional<core::Error> jump() const;
  const ClockRules& rules() const { return rules_; }
  /// The wall clock at the last look, in ms since 1970.
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

/// Narrows a time to 32 bits. Throws core::Failure TimeExhausted if it does not fit.
std::uint32_t seconds_in_32_bits(std::int64_t seconds);

}  // namespace zerosuite::id
