// The Lua of the Redis store.
//
// Redis runs a script as a whole; what it wrote before an error stays, so every script checks first and
// writes then. Lua counts in doubles: values that may be above 2^53 stay decimal texts, and are added and
// compared by halves.
#pragma once

#include <cstdint>
#include <string>

namespace zerosuite::id::stores::scripts {

/// Up to this, Lua counts exactly.
inline constexpr std::int64_t kLastInteger = std::int64_t{1} << 53;

/// Whole numbers from 0 to beyond 2^63, without leading zeros.
inline const std::string kNumbers = R"lua(
local function halves(text)
  assert(string.find(text, '^%d+$'), 'not a whole number')
  return tonumber(string.sub(text, 1, -10)) or 0, tonumber(string.sub(text, -9))
end
local function less(a, b)
  local a_high, a_low = halves(a)
  local b_high, b_low = halves(b)
  return a_high < b_high or (a_high == b_high and a_low < b_low)
end
local function larger(a, b) return less(a, b) and b or a end
local function smaller(a, b) return less(a, b) and a or b end
local function sum(a, b)
  local a_high, a_low = halves(a)
  local b_high, b_low = halves(b)
  local high, low = a_high + b_high, a_low + b_low
  if low >= 1e9 then high, low = high + 1, low - 1e9 end
  if high == 0 then return string.format('%.0f', low) end
  return string.format('%.0f%09.0f', high, low)
end
)lua";

/// A tag, as scripts answer it. Its next value is a key of its own, which outlives it.
inline const std::string kTags = kNumbers + R"lua(
local function tag_of(name, counter, definition)
  local tag = redis.call('HMGET', definition, 'step', 'delta', 'remainder', 'max', 'description')
  return {name, redis.call('GET', counter) or '0', unpack(tag)}
end
)lua";

/// KEYS: counter, of a tag also its definition. ARGV: count, floor, end, the tag's name.
/// Answers {"ok", lo, hi, stored, tag}, {"exhausted", end} or {"no tag"}.
inline const std::string kReserve = kTags + R"lua(
local stop = ARGV[3]
if KEYS[2] then
  local max = redis.call('HGET', KEYS[2], 'max')
  if not max then return {'no tag'} end
  stop = smaller(stop, sum(max, '1'))
end
local stored = redis.call('GET', KEYS[1]) or '0'
local lo = larger(stored, ARGV[2])
if not less(lo, stop) then return {'exhausted', stop} end
local hi = smaller(sum(lo, ARGV[1]), stop)
redis.call('SET', KEYS[1], hi)
return {'ok', lo, hi, stored, KEYS[2] and tag_of(ARGV[4], KEYS[1], KEYS[2])}
)lua";

/// KEYS: as kReserve. ARGV: lo, hi. Answers 1 or 0. A tag does not fall below what it was set to.
inline const std::string kGiveBack = kNumbers + R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
if KEYS[2] then
  local base = redis.call('HGET', KEYS[2], 'base')
  if not base or less(ARGV[1], base) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
)lua";

/// KEYS: counter, definition, set of all names. ARGV: name, next, and field after field of the definition.
/// Answers {"ok", tag} or {"exists"}.
inline const std::string kCreateTag = kTags + R"lua(
if redis.call('EXISTS', KEYS[2]) == 1 then return {'exists'} end
local first = larger(redis.call('GET', KEYS[1]) or '0', ARGV[2])
redis.call('SET', KEYS[1], first)
redis.call('HSET', KEYS[2], 'base', first, unpack(ARGV, 3))
redis.call('SADD', KEYS[3], ARGV[1])
return {'ok', tag_of(ARGV[1], KEYS[1], KEYS[2])}
)lua";

/// KEYS: as kCreateTag. ARGV: name, floor, and what is to be different of the definition, field after field.
/// Answers {"ok", tag} or {"no tag"}.
inline const std::string kUpdateTag = kTags + R"lua(
local base = redis.call('HGET', KEYS[2], 'base')
if not base then return {'no tag'} end
redis.call('SET', KEYS[1], larger(redis.call('GET', KEYS[1]) or '0', ARGV[2]))
redis.call('HSET', KEYS[2], 'base', larger(base, ARGV[2]), unpack(ARGV, 3))
return {'ok', tag_of(ARGV[1], KEYS[1], KEYS[2])}
)lua";

/// KEYS: as kCreateTag. ARGV: name. Answers {"ok", tag} or {"no tag"}.
inline const std::string kDeleteTag = kTags + R"lua(
if redis.call('EXISTS', KEYS[2]) == 0 then return {'no tag'} end
local tag = tag_of(ARGV[1], KEYS[1], KEYS[2])
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[3], ARGV[1])
return {'ok', tag}
)lua";

/// KEYS: as kCreateTag. ARGV: name. Answers {"ok", tag} or {"no tag"}.
inline const std::string kTag = kTags + R"lua(
if redis.call('EXISTS', KEYS[2]) == 0 then return {'no tag'} end
return {'ok', tag_of(ARGV[1], KEYS[1], KEYS[2])}
)lua";

/// KEYS: set of all names. ARGV: what counters and definitions begin with. Answers a list of tags.
inline const std::string kAllTags = kTags + R"lua(
local tags = {}
for i, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  tags[i] = tag_of(name, ARGV[1] .. name, ARGV[2] .. name)
end
return tags
)lua";

/// KEYS: pin. ARGV: value, "replace" or "keep". Answers what is kept.
inline const std::string kPin = R"lua(
if ARGV[2] == 'replace' then
  redis.call('SET', KEYS[1], ARGV[1])
else
  redis.call('SETNX', KEYS[1], ARGV[1])
end
return redis.call('GET', KEYS[1])
)lua";

/// The hash KEYS[1] keeps "EPOCH ENDS OWNER" of each worker id that was ever used; ENDS, in ms since 1970, is
/// 0 once it was given back.
inline const std::string kLeases = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function read(text)
  local epoch, ends, owner = string.match(text, '^(%d+) (%d+) (.*)$')
  return {epoch = tonumber(epoch), ends = tonumber(ends), owner = owner}
end
local function keep(worker, epoch, ends, owner)
  redis.call('HSET', KEYS[1], worker, string.format('%.0f %.0f ', epoch, ends) .. owner)
end
)lua";

/// KEYS[2] keeps when the store was first asked for a worker id. As long as a lease from then on, it may be
/// one that has lost its data: who has a worker id without a record may still be issuing.
inline const std::string kYoung = R"lua(
local born = redis.call('GET', KEYS[2])
if not born then
  born = string.format('%.0f', now)
  redis.call('SET', KEYS[2], born)
end
local function youth(ttl) return born + ttl - now end
)lua";

/// ARGV: worker or "", how many there are, owner, ttl. Answers {"ok", worker, epoch, taken over, now},
/// {"in use", worker, owner, ms left}, {"all in use"} or {"young", ms left}.
inline const std::string kClaim = kLeases + kYoung + R"lua(
local workers, owner = tonumber(ARGV[2]), ARGV[3]
local leases = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do leases[tonumber(all[i])] = read(all[i + 1]) end
local function runs(worker) return leases[worker] and leases[worker].ends > now end

local worker = tonumber(ARGV[1])
if not worker then
  for id in pairs(leases) do
    if id < workers and runs(id) and leases[id].owner == owner then worker = id end
  end
end
if not worker then
  worker = 0
  while runs(worker) do worker = worker + 1 end
  if worker >= workers then return {'all in use'} end
end

if not leases[worker] and youth(ARGV[4]) > 0 then return {'young', youth(ARGV[4])} end
local lease = leases[worker] or {epoch = 0, ends = 0}
local held = lease.ends > 0
local mine = held and lease.owner == owner
if runs(worker) and not mine then return {'in use', worker, lease.owner, lease.ends - now} end
local epoch = mine and lease.epoch or lease.epoch + 1
keep(worker, epoch, now + ARGV[4], owner)
-- Of an owner's second claim it is not known whether his first was a take-over: its answer may have been lost.
local taken_over = held and (not mine or epoch > 1)
return {'ok', worker, epoch, taken_over and 1 or 0, now}
)lua";

/// What kRenew and kRelease have in common. ARGV: worker, epoch, owner.
inline const std::string kHeld = kLeases + R"lua(
local kept = redis.call('HGET', KEYS[1], ARGV[1])
local lease = kept and read(kept)
local mine = lease and lease.owner == ARGV[3] and lease.epoch == tonumber(ARGV[2]) and lease.ends > 0
)lua";

/// ARGV: and ttl. Answers now; 0 when the lease is lost. A young store without a record believes its owner,
/// who asks only while his lease runs.
inline const std::string kRenew = kHeld + kYoung + R"lua(
if not lease and youth(ARGV[4]) > 0 then
  mine = true
  lease = {epoch = tonumber(ARGV[2]), ends = now + 1, owner = ARGV[3]}
end
if not mine or lease.ends <= now then return 0 end
keep(ARGV[1], lease.epoch, now + ARGV[4], lease.owner)
return now
)lua";

/// Answers 1 or 0.
inline const std::string kRelease = kHeld + R"lua(
if not mine then return 0 end
keep(ARGV[1], lease.epoch, 0, lease.owner)
return 1
)lua";

/// KEYS: what the day's counter and the last second begin with. ARGV: second and counter that are to be
/// exceeded, and the last counter there is. Answers {second, counter}; the counter is beyond the last when
/// the day has no more. (The date: Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.)
inline const std::string kNextId = R"lua(
local function date_of(seconds)
  local floor = math.floor
  local day = floor(seconds / 86400) + 719468
  local era = floor(day / 146097)
  local of_era = day - era * 146097
  local year = floor((of_era - floor(of_era / 1460) + floor(of_era / 36524) - floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * of_year + 2) / 153)
  local of_month = of_year - floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  year = year + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d:%02d:%02d', year, month, of_month)
end

local least, least_counter, last_counter = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = tonumber(redis.call('GET', KEYS[1] .. 'last') or '0')
local second = math.max(tonumber(redis.call('TIME')[1]), kept, least)
local counter_key = KEYS[1] .. date_of(second)
local counter = tonumber(redis.call('GET', counter_key) or '0')
if second == least then counter = math.max(counter, least_counter) end
counter = counter + 1
if counter <= last_counter then
  redis.call('SET', counter_key, string.format('%.0f', counter), 'EX', 2 * 86400)
  redis.call('SET', KEYS[1] .. 'last', string.format('%.0f', second))
end
return {second, counter}
)lua";

}  // namespace zerosuite::id::stores::scripts
