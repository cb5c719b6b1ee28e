#include "id/random/random_ids.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace zerosuite::id {
namespace {

constexpr std::int64_t kNsPerTick = 100, kNsPerSecond = 1'000'000'000;
constexpr int kNodeBits = 48, kClockSeqBits = 14;

// From 64 random bits.
std::uint64_t random_node(std::uint64_t bits) { return bits >> (64 - kNodeBits) | formats::kRandomNode; }
std::uint32_t clock_seq_of(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits % (std::uint64_t{1} << kClockSeqBits));
}

// Exact: avoids the overflow of ns · 4096.
std::int64_t ticks_of_4096th_ms(std::int64_t ns) {
  return ns / kNsPerMs * 4096 + ns % kNsPerMs * 4096 / kNsPerMs;
}

std::uint64_t checked_node(std::int64_t value) {
  if (value >= 0 && value < std::int64_t{1} << kNodeBits) return static_cast<std::uint64_t>(value);
  throw core::Failure(core::kInvalidArgument,
                      "node must be from 0 to 2^48 - 1, not " + std::to_string(value));
}

}  // namespace

RandomIds::RandomIds(IdTime& time, core::Entropy& entropy) : time_(time), entropy_(entropy) { renew(); }

std::vector<std::string> RandomIds::issue(RandomKind kind, std::size_t n) {
  const std::int64_t ns = look().ns;
  std::vector<std::string> ids;
  ids.reserve(n);
  for (std::size_t i = 0; i < n; ++i) ids.push_back(next(kind, ns));
  tell();
  return ids;
}

std::string RandomIds::uuid1(const Uuid1Choice& choice) {
  const std::int64_t ns = look().ns;
  formats::Uuid1Parts parts{.clock_seq = clock_seq_, .node = node_};
  if (choice.node) parts.node = checked_node(*choice.node);
  // The low bits, as in uuid.py: many clients pass int(time.time()).
  if (choice.clock_seq) parts.clock_seq = clock_seq_of(static_cast<std::uint64_t>(*choice.clock_seq));
  parts.ticks = next_gregorian(ns);
  tell();
  return formats::uuid_text(formats::uuid1(parts));
}

void RandomIds::raise(std::int64_t first_ms) {
  if (first_ms <= 0) return;
  gregorian_.raise(first_ms * (kNsPerMs / kNsPerTick) + formats::kGregorianTicks);
  uuid7_.raise(first_ms * 4096);
  ulids_.raise(first_ms);
  ksuids_.raise((first_ms + 999) / 1000);
}

void RandomIds::tell() const {
  if (!reached_) return;
  const std::int64_t gregorian_ms = (gregorian_.last() - formats::kGregorianTicks) / (kNsPerMs / kNsPerTick);
  reached_(std::max({gregorian_ms, uuid7_.last() / 4096, ulids_.last_ms(), ksuids_.last_second() * 1000}));
}

Now RandomIds::look() {
  const Now now = time_.look();
  if (now.discontinuities != discontinuities_ || mark_.forked()) {
    renew();
    discontinuities_ = now.discontinuities;
    mark_.renew();
  }
  return now;
}

void RandomIds::renew() {
  entropy_.forget();
  node_ = random_node(entropy_.bits());
  clock_seq_ = clock_seq_of(entropy_.bits());
  ulids_.renew();
  ksuids_.renew();
  xids_.renew();
  objectids_.renew();
}

std::string RandomIds::next(RandomKind kind, std::int64_t ns) {
  switch (kind) {
    case RandomKind::kUuid4: {
      const std::uint64_t high = entropy_.bits();
      return formats::uuid_text(formats::uuid4(formats::joined(high, entropy_.bits())));
    }
    case RandomKind::kUuid6: {
      const std::uint64_t bits = entropy_.bits();
      return formats::uuid_text(formats::uuid6({next_gregorian(ns), clock_seq_of(bits), random_node(bits)}));
    }
    case RandomKind::kUuid7:
      return formats::uuid_text(formats::uuid7(uuid7_.next(ticks_of_4096th_ms(ns)), entropy_.bits()));
    case RandomKind::kUlid:
      return formats::ulid_text(ulids_.next(ns / kNsPerMs));
    case RandomKind::kKsuid:
      return formats::ksuid_text(ksuids_.next(ns / kNsPerSecond));
    case RandomKind::kXid:
      return formats::xid_text(xids_.next(ns / kNsPerSecond));
    case RandomKind::kObjectId:
      break;
  }
  return formats::objectid_text(objectids_.next(ns / kNsPerSecond));
}

std::int64_t RandomIds::next_gregorian(std::int64_t ns) {
  return gregorian_.next(ns / kNsPerTick + formats::kGregorianTicks);
}

}  // namespace zerosuite::id
