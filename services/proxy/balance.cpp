#include "proxy/balance.hpp"

#include <algorithm>

namespace zerosuite::proxy {
namespace {

constexpr double kFirstShare = 0.1;

// FNV-1a, then the finalizer of MurmurHash3, since FNV-1a alone mixes the last bytes poorly.
std::uint64_t hash(std::string_view id, std::string_view key) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const std::string_view part : {key, id}) {
    for (const char c : part) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  value = (value ^ (value >> 33U)) * 0xff51afd7ed558ccdU;
  value = (value ^ (value >> 33U)) * 0xc4ceb9fe1a85ec53U;
  return value ^ (value >> 33U);
}

}  // namespace

std::optional<std::size_t> Balance::pick(std::size_t count, const LoadOf& load_of, core::TimePoint now) {
  if (count == 0) return {};
  // Two draws suffice while most workers have room; otherwise all workers are compared.
  std::optional<std::size_t> best;
  const std::size_t first = random_below(count);
  const std::size_t second = count == 1 ? first : (first + 1 + random_below(count - 1)) % count;
  for (const std::size_t drawn : {first, second}) {
    const Load* const load = load_of(drawn);
    if (load == nullptr || !load->has_room(now) || load->ejected(now)) continue;
    if (!best || better(*load, *load_of(*best), now)) best = drawn;
  }
  if (best) return best;
  const auto better_of_all = [&](bool ejected) {
    for (std::size_t i = 0; i < count; ++i) {
      const Load* const load = load_of(i);
      if (load == nullptr || !load->has_room(now) || load->ejected(now) != ejected) continue;
      if (!best || better(*load, *load_of(*best), now)) best = i;
    }
    return best;
  };
  return better_of_all(false) ? best : better_of_all(true);
}

std::optional<std::size_t> Balance::owner(std::size_t count, const IdOf& id_of, std::string_view key) {
  std::optional<std::size_t> best;
  std::uint64_t highest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view id = id_of(i);
    if (id.empty()) continue;
    const std::uint64_t score = hash(id, key);
    if (best && score <= highest) continue;
    best = i;
    highest = score;
  }
  return best;
}

void Balance::answered(Load& load, bool unavailable, core::TimePoint now) const {
  if (!unavailable) {
    load.failures = load.ejections = 0;
    return;
  }
  if (++load.failures < options_.eject_after || load.ejected(now)) return;
  const auto longer = options_.eject_for * (1 << std::min(load.ejections, 10U));
  load.ejected_until = now + std::min<core::milliseconds>(longer, options_.eject_longest);
  ++load.ejections;
  load.failures = options_.eject_after - 1;  // on probation: the next such reply ejects it again
}

// xorshift64: a draw costs a nanosecond, and guessing it gains nothing.
std::size_t Balance::random_below(std::size_t count) {
  state_ ^= state_ << 13U;
  state_ ^= state_ >> 7U;
  state_ ^= state_ << 17U;
  return state_ % count;
}

// Between equally loaded workers, mostly idle ones, chance decides in proportion to their shares; if those
// are equal too, the worker that was used less recently is better.
bool Balance::better(const Load& a, const Load& b, core::TimePoint now) {
  constexpr std::size_t kSteps = 1 << 20;
  const double share_a = share(a, now);
  const double share_b = share(b, now);
  const double cost_a = static_cast<double>(a.outstanding) / share_a;
  const double cost_b = static_cast<double>(b.outstanding) / share_b;
  if (cost_a != cost_b) return cost_a < cost_b;
  if (share_a == share_b) return a.used < b.used;
  return static_cast<double>(random_below(kSteps)) < kSteps * share_a / (share_a + share_b);
}

double Balance::share(const Load& load, core::TimePoint now) const {
  const auto age = std::chrono::duration<double>(now - load.since);
  const auto whole = std::chrono::duration<double>(options_.slow_start);
  return age < whole ? load.weight * (kFirstShare + (1 - kFirstShare) * (age / whole)) : load.weight;
}

}  // namespace zerosuite::proxy
