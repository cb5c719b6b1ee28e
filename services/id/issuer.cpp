#include "id/issuer.hpp"

#include <utility>

#include "core/completion_latch.hpp"
#include "id/clock/zone.hpp"

namespace zerosuite::id {
namespace {

using core::Result;

constexpr core::milliseconds kStartAgain{200};
constexpr std::int64_t kYearMs = 365LL * 24 * 3600 * 1000;

Layout with_start(Layout layout, SequenceStart start) {
  if (layout.start != SequenceStart::kOne) layout.start = start;
  return layout;
}

}  // namespace

Issuer::Issuer(const IssuerParts& parts, IssuerOptions options, WorkerIdLease::Callback told)
    : store_(parts.store),
      options_(std::move(options)),
      told_(std::move(told)),
      time_(parts.clocks, options_.clock),
      worker_(parts.timers, parts.store, time_, options_.worker,
              [this](const Result<Lease>& lease) { this->told(lease); }),
      snowflakes_({parts.timers, parts.store, time_, worker_, entropy_},
                  with_start(options_.layout, options_.sequence_start), options_.snowflake),
      segments_(parts.timers, parts.store, options_.segments),
      sequences_(parts.timers, parts.store, options_.sequences),
      daily_(time_, sequences_),
      random_ids_(time_, entropy_),
      reach_(parts.timers, parts.store, options_.snowflake.window,
             [this](std::int64_t first_ms) { random_ids_.raise(first_ms); }),
      watch_(
          parts.timers, parts.store, options_.watch,
          [this](const std::string& tag) { segments_.changed(tag); },
          [this]() -> std::optional<std::int64_t> {
            if (worker_.check(time_.look().boot_ns)) return std::nullopt;
            return worker_.lease().worker;
          }),
      start_again_(parts.timers, [this] { start(); }) {
  random_ids_.on_reached([this](std::int64_t ms) { reach_.used(ms); });
}

void Issuer::start() {
  const OpenRequest bond{.known = {},
                         .fresh = options_.fresh_store,
                         .wait = options_.worker.claim.ttl,
                         .accept = options_.accept_regressed};
  store_.open(bond, [this](const Result<std::string>& id) {
    if (id) return pin_layout();
    trouble_ = id.error();
    if (trouble_->name == core::kStoreRegressed.name) {
      refusal_ = trouble_;
    } else {
      start_again_.after(kStartAgain);
    }
  });
}

void Issuer::pin_layout() {
  const auto how = options_.allow_relayout ? Store::Pin::kReplace : Store::Pin::kKeep;
  const std::string fingerprint = options_.layout.fingerprint();
  store_.pin("layout", fingerprint, how, [this, fingerprint](const Result<std::string>& kept) {
    if (!kept) {
      trouble_ = kept.error();
      start_again_.after(kStartAgain);
    } else if (trouble_.reset(); *kept == fingerprint) {
      worker_.start();
      watch_.start();
    } else {
      refusal_ =
          core::Error{core::kInvalidArgument, "ids were issued with the layout " + *kept + " before, and " +
                                                  options_.layout.name + " is " + fingerprint +
                                                  "; --allow-relayout goes on all the same"};
    }
  });
}

// Rising ids of a worker id continue above those that its previous owner may have issued.
void Issuer::told(const Result<Lease>& lease) {
  if (lease) reach_.begin(lease->worker, time_.look().ns / 1'000'000);
  if (told_) told_(lease);
}

const core::Error& Issuer::not_ready_reason() const { return trouble_ ? *trouble_ : worker_.why(); }

void Issuer::stop(core::MoveFunction<void()> done) {
  const auto last = std::make_shared<core::CompletionLatch>(std::move(done));
  // The latch is also released when a connection is torn down, possibly after this object was destroyed.
  snowflakes_.stop(
      std::make_shared<core::CompletionLatch>([this, last, life = std::weak_ptr<const bool>(life_)] {
        if (!life.expired()) worker_.stop([last] {});
      }));
  watch_.stop();
  reach_.stop(last);
  segments_.stop([last] {});
  sequences_.stop([last] {});
}

void Issuer::check_clock() {
  const Now now = time_.look();
  if (std::exchange(discontinuities_, now.discontinuities) == now.discontinuities) return;
  segments_.void_all();
  sequences_.void_all();
}

std::vector<std::string> Issuer::health_problems() {
  std::vector<std::string> all;
  const auto add = [&](const std::optional<core::Error>& error) {
    if (error) all.push_back(error->name + ": " + error->text());
  };
  const Now now = time_.look();
  add(time_.jump());
  if (now.wait > core::milliseconds(0))
    all.push_back("ClockRollback: snowflakes wait for the clock, " + std::to_string(now.wait.count()) +
                  " ms");
  add(worker_.check(now.boot_ns));
  add(store_.trouble());
  const Layout& layout = snowflakes_.usual();
  const std::int64_t end_ms = layout.time_ns(layout.ticks()) / 1'000'000;
  if (end_ms - now.ns / 1'000'000 < kYearMs)
    all.push_back("TimeExhausted: layout " + layout.name + " ends " + iso_time(end_ms));
  return all;
}

}  // namespace zerosuite::id
