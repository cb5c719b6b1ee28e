// The Lua of the Redis store.
//
// Redis runs a script atomically, but keeps what it wrote before an error, so every script checks first and
// then writes. Lua computes in doubles: values that may exceed 2^53 stay decimal texts, and are added and
// compared in halves.
#pragma once

#include <cstdint>
#include <string>

namespace zerosuite::id::stores::scripts {

/// Up to this, Lua's integers are exact.
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

/// The hash KEYS[1] identifies the store: `id`, which must equal ARGV[1] unless that is empty; `lost` in its
/// place, once the store was found to have lost data; and `revision`, which rises with every reservation and
/// change.
inline const std::string kGuard = R"lua(
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'forgotten'} end
table.remove(ARGV, 1)
local state = table.remove(KEYS, 1)
local function changed() return redis.call('HINCRBY', state, 'revision', 1) end
)lua";

/// A tag, as scripts return it. Its next value has a key of its own, which outlives the tag, as does its
/// `history`: `base`, the value that the next value was set to explicitly and does not fall below; `given`,
/// the next value before that; and `lowered`, the number of times it was lowered.
inline const std::string kTags = kNumbers + R"lua(
local function tag_of(name, counter, definition, history)
  local tag = redis.call('HMGET', definition, 'step', 'delta', 'remainder', 'max', 'description')
  tag[6] = redis.call('HGET', history, 'lowered') or '0'
  return {name, redis.call('GET', counter) or '0', unpack(tag, 1, 6)}
end
local function bounds(counter, definition, history)
  local base = redis.call('HGET', history, 'base') or redis.call('HGET', definition, 'base') or '0'
  local given = redis.call('HGET', history, 'given')
  local next = redis.call('GET', counter) or '0'
  -- What was raised before this was kept cannot be told from what was given out.
  if less(base, next) or not given then given = next end
  return next, base, given
end
local function raise(counter, definition, history, floor)
  local next, base, given = bounds(counter, definition, history)
  if less(next, floor) then
    redis.call('HSET', history, 'base', floor, 'given', given)
    redis.call('SET', counter, floor)
  elseif less(base, floor) then
    redis.call('HSET', history, 'base', floor, 'given', given)
  end
end
)lua";

/// KEYS: state, counter, of a tag also its definition and history. ARGV: id, count, floor, end, the tag's
/// name. Returns {"ok", lo, hi, stored, tag}, {"exhausted", end} or {"no tag"}.
inline const std::string kReserve = kGuard + kTags + R"lua(
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
changed()
return {'ok', lo, hi, stored, KEYS[2] and tag_of(ARGV[4], KEYS[1], KEYS[2], KEYS[3])}
)lua";

/// KEYS: counter, of a tag also its definition and history. ARGV: lo, hi. Returns 1 or 0. A tag does not fall
/// below its `base`.
inline const std::string kGiveBack = kNumbers + R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
if KEYS[2] then
  local base = redis.call('HGET', KEYS[3], 'base') or redis.call('HGET', KEYS[2], 'base')
  if not base or less(ARGV[1], base) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
)lua";

/// KEYS: counters. ARGV: the minimum that each is raised to.
inline const std::string kRemember = kNumbers + R"lua(
for i, counter in ipairs(KEYS) do
  if less(redis.call('GET', counter) or '0', ARGV[i]) then redis.call('SET', counter, ARGV[i]) end
end
return 1
)lua";

/// Makes the sorted set of all names, with equal scores, from the plain set that older versions keep.
inline const std::string kNames = R"lua(
local function sort_names(sorted, set)
  if redis.call('ZCARD', sorted) == redis.call('SCARD', set) then return end
  redis.call('DEL', sorted)
  for i, name in ipairs(redis.call('SMEMBERS', set)) do redis.call('ZADD', sorted, 0, name) end
end
)lua";

/// KEYS: state, counter, definition, history, set of all names, the same sorted, changes. ARGV: id, name,
/// next, and field after field of the definition. Returns {"ok", tag} or {"exists"}.
inline const std::string kCreateTag = kGuard + kTags + kNames + R"lua(
if redis.call('EXISTS', KEYS[2]) == 1 then return {'exists'} end
raise(KEYS[1], KEYS[2], KEYS[3], ARGV[2])
redis.call('HSET', KEYS[2], 'base', ARGV[2], unpack(ARGV, 3))  -- older versions look for that
sort_names(KEYS[5], KEYS[4])
redis.call('SADD', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[5], 0, ARGV[1])
return {'ok', tag_of(ARGV[1], KEYS[1], KEYS[2], KEYS[3])}
)lua";

/// KEYS: as kCreateTag. ARGV: id, name, floor, "lower" or "", and the changed fields of the definition, field
/// after field. Returns {"ok", tag}, {"no tag"}, or {"given", next} if it cannot be lowered that far.
inline const std::string kUpdateTag = kGuard + kTags + R"lua(
if redis.call('EXISTS', KEYS[2]) == 0 then return {'no tag'} end
local function one_less(text)
  local high, low = halves(text)
  if low == 0 then high, low = high - 1, 1e9 end
  if high == 0 then return string.format('%.0f', low - 1) end
  return string.format('%.0f%09.0f', high, low - 1)
end
local cap
if ARGV[3] == 'lower' and less(ARGV[2], redis.call('GET', KEYS[1]) or '0') then
  local next, base = bounds(KEYS[1], KEYS[2], KEYS[3])
  local given = redis.call('HGET', KEYS[3], 'given')
  local floor = given and larger(ARGV[2], given)
  if not floor or not less(floor, base) then return {'given', next} end
  if less(base, next) then cap = one_less(base) end
  redis.call('HSET', KEYS[3], 'base', floor, 'given', floor)
  redis.call('HINCRBY', KEYS[3], 'lowered', 1)
  redis.call('SET', KEYS[1], floor)
else
  raise(KEYS[1], KEYS[2], KEYS[3], ARGV[2])
end
if #ARGV > 3 then redis.call('HSET', KEYS[2], unpack(ARGV, 4)) end
if cap then redis.call('HSET', KEYS[2], 'max', smaller(redis.call('HGET', KEYS[2], 'max'), cap)) end
redis.call('ZADD', KEYS[6], changed(), ARGV[1])
return {'ok', tag_of(ARGV[1], KEYS[1], KEYS[2], KEYS[3])}
)lua";

/// KEYS: as kCreateTag. ARGV: id, name. Returns {"ok", tag} or {"no tag"}.
inline const std::string kDeleteTag = kGuard + kTags + kNames + R"lua(
if redis.call('EXISTS', KEYS[2]) == 0 then return {'no tag'} end
local tag = tag_of(ARGV[1], KEYS[1], KEYS[2], KEYS[3])
local base = redis.call('HGET', KEYS[2], 'base')
if base then redis.call('HSETNX', KEYS[3], 'base', base) end
redis.call('DEL', KEYS[2])
sort_names(KEYS[5], KEYS[4])
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZADD', KEYS[6], changed(), ARGV[1])
return {'ok', tag}
)lua";

/// KEYS: as kCreateTag. ARGV: id, name. Returns {"ok", tag} or {"no tag"}.
inline const std::string kTag = kGuard + kTags + R"lua(
if redis.call('EXISTS', KEYS[2]) == 0 then return {'no tag'} end
return {'ok', tag_of(ARGV[1], KEYS[1], KEYS[2], KEYS[3])}
)lua";

/// KEYS: state, set of all names, the same sorted. ARGV: id, the prefixes of counters, definitions and
/// histories, where the names begin and end, and the maximum number of them. Returns {"ok", tags}.
inline const std::string kPageOfTags = kGuard + kTags + kNames + R"lua(
sort_names(KEYS[2], KEYS[1])
local tags = {}
for i, name in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[6])) do
  tags[i] = tag_of(name, ARGV[1] .. name, ARGV[2] .. name, ARGV[3] .. name)
end
return {'ok', tags}
)lua";

/// KEYS: pin. ARGV: value, "replace" or "keep". Returns the value that is stored now.
inline const std::string kPin = R"lua(
if ARGV[2] == 'replace' then
  redis.call('SET', KEYS[1], ARGV[1])
else
  redis.call('SETNX', KEYS[1], ARGV[1])
end
return redis.call('GET', KEYS[1])
)lua";

/// The hash KEYS[1] has "EPOCH ENDS OWNER" for each worker id that was ever used; ENDS, in ms since 1970, is
/// 0 once it was released.
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

/// KEYS[2] has the time at which the store was first opened or asked for a worker id. For the length of a
/// lease from then on, the store may be one that has lost its data: the owner of a worker id that has no
/// record may still be issuing.
inline const std::string kYoung = R"lua(
local born = redis.call('GET', KEYS[2])
if not born then
  born = string.format('%.0f', now)
  redis.call('SET', KEYS[2], born)
end
local function youth(ttl) return born + ttl - now end
)lua";

/// ARGV: worker or "", the number of worker ids, owner, ttl. Returns {"ok", worker, epoch, taken over, now},
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

/// Common to kRenew and kRelease. ARGV: worker, epoch, owner.
inline const std::string kHeld = kLeases + R"lua(
local kept = redis.call('HGET', KEYS[1], ARGV[1])
local lease = kept and read(kept)
local mine = lease and lease.owner == ARGV[3] and lease.epoch == tonumber(ARGV[2]) and lease.ends > 0
)lua";

/// ARGV: those of kHeld, ttl. Returns now; 0 if the lease is lost. A young store without a record trusts the
/// owner, which renews only while its lease has not expired.
inline const std::string kRenew = kHeld + kYoung + R"lua(
if not lease and youth(ARGV[4]) > 0 then
  mine = true
  lease = {epoch = tonumber(ARGV[2]), ends = now + 1, owner = ARGV[3]}
end
if not mine or lease.ends <= now then return 0 end
keep(ARGV[1], lease.epoch, now + ARGV[4], lease.owner)
return now
)lua";

/// ARGV: those of kHeld. Returns 1 or 0.
inline const std::string kRelease = kHeld + R"lua(
if not mine then return 0 end
keep(ARGV[1], lease.epoch, 0, lease.owner)
return 1
)lua";

/// KEYS: state, born. ARGV: the known id or "", the id for a new store, how long a new store has to wait,
/// "accept" or "", the run id of the server on which the caller, having created the store, recently saw no
/// other issuer, or "", and how long a second issuer has to wait, so that the first notices it. Returns
/// {"ok", id, run id, 1 for the creator}, {"forgotten"}, {"other", id}, {"young", ms left} or {"second", ms
/// left}. An accepted store gets a revision above all that issuers may have applied.
inline const std::string kOpen = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
)lua" + kYoung + R"lua(
local id, lost = redis.call('HGET', KEYS[1], 'id'), redis.call('HGET', KEYS[1], 'lost')
local known, accept = ARGV[1], ARGV[4] == 'accept'
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if id then
  if known ~= '' and known ~= id and not accept then return {'other', id} end
  if known ~= '' then return {'ok', id, run, 0} end
  if redis.call('HINCRBY', KEYS[1], 'opened', 1) == 2 then redis.call('HSET', KEYS[1], 'second', now) end
  local left = (redis.call('HGET', KEYS[1], 'second') or 0) + ARGV[6] - now
  if left > 0 then return {'second', left} end
  return {'ok', id, run, 0}
end
-- Another server took over that lacks all of it; and the only one who ever used it knows what was in it.
local only = not lost and ARGV[5] ~= '' and ARGV[5] ~= run
if only then accept = true end
if known ~= '' then redis.call('HSETNX', KEYS[1], 'lost', known) end
if (known ~= '' or lost) and not accept then return {'forgotten'} end
if known == '' then known = lost end
if not known then
  if youth(ARGV[3]) > 0 then return {'young', youth(ARGV[3])} end
  known = ARGV[2]
end
if accept then redis.call('HINCRBY', KEYS[1], 'revision', 1000000000) end
redis.call('HDEL', KEYS[1], 'lost')
redis.call('HSET', KEYS[1], 'id', known, 'opened', 1)
return {'ok', known, run, (only or known == ARGV[2]) and 1 or 0}
)lua";

/// KEYS: state. ARGV: id.
inline const std::string kDistrust = R"lua(
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then redis.call('HDEL', KEYS[1], 'id') end
if not redis.call('HGET', KEYS[1], 'id') then redis.call('HSETNX', KEYS[1], 'lost', ARGV[1]) end
return 1
)lua";

/// KEYS: state, changes, workers, and the revision that each worker has applied. ARGV: id, the revision that
/// the caller has applied, its worker or "", and the maximum number of changes to return. Returns {"ok",
/// revision, the revision that all have applied, tags, how many times the store was opened, run id}; or
/// {"forgotten"}, which all guarded scripts return from then on, if the caller's revision is above the
/// store's. It always writes, since WAIT covers only what its own connection wrote.
inline const std::string kLook = kGuard + R"lua(
local revision = tonumber(redis.call('HGET', state, 'revision') or '0')
if revision < tonumber(ARGV[1]) then
  local id = redis.call('HGET', state, 'id')
  if id then redis.call('HSET', state, 'lost', id) end
  redis.call('HDEL', state, 'id')
  return {'forgotten'}
end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
local tags = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local names = {}
for i = 1, #tags, 2 do names[#names + 1] = tags[i] end
if #names == tonumber(ARGV[3]) then revision = tonumber(tags[#tags]) end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local followed = revision
local leases = redis.call('HGETALL', KEYS[2])
for i = 1, #leases, 2 do
  if tonumber(string.match(leases[i + 1], '^%d+ (%d+) ')) > now then
    followed = math.min(followed, tonumber(redis.call('HGET', KEYS[3], leases[i]) or '0'))
  end
end
local opened = redis.call('HGET', state, 'opened') or '0'
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
return {'ok', string.format('%.0f', revision), string.format('%.0f', followed), names, opened, run}
)lua";

/// KEYS: state, the prefix of the day's counter and of the last second. ARGV: id, the second and counter to
/// exceed, and the last counter. Returns {second, counter}, where the counter is above the last one if the
/// day has no more; or {"forgotten"}. (The date: Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// civil_from_days.)
inline const std::string kNextId = kGuard + R"lua(
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
