#include "lock/api_request.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "wire/utf8.hpp"

namespace zerosuite::lock {
namespace {

using core::Failure;
using wire::Integer, wire::Value;

constexpr milliseconds kSessionLease{30'000};  // of a hold without a lease, after a restart of the broker

[[noreturn]] void refuse_type(std::string_view key, std::string_view expected, const Value& value) {
  throw Failure(core::kTypeError, "option '" + std::string(key) + "' must be " + std::string(expected) +
                                      ", not " + std::string(python_name(value)));
}

std::string text(std::string_view key, const Value& value) {
  const auto text = wire::text_of(value);
  if (!text) refuse_type(key, "str", value);
  if (!wire::is_utf8(*text))
    throw Failure(core::kInvalidArgument, "option '" + std::string(key) + "' must be UTF-8");
  return std::string(*text);
}

// An integral float too: Node sends large integers so, tokens among them.
std::optional<std::int64_t> integer(const Value& value) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (const auto* number = value.as<Integer>())
    return static_cast<std::int64_t>(std::clamp<Integer>(*number, -kMost, kMost));
  constexpr double kExact = 1LL << 53;
  const auto* real = value.as<double>();
  if (real == nullptr || std::trunc(*real) != *real || std::abs(*real) > kExact) return {};
  return static_cast<std::int64_t>(*real);
}

std::int64_t integer(std::string_view key, const Value& value) {
  const auto number = integer(value);
  if (!number) refuse_type(key, "int", value);
  return *number;
}

bool flag(std::string_view key, const Value& value) {
  const auto* flag = value.as<bool>();
  if (flag == nullptr) refuse_type(key, "bool", value);
  return *flag;
}

std::string one_of(std::string_view key, const Value& value, std::string_view first,
                   std::string_view second) {
  std::string word = text(key, value);
  if (word == first || word == second) return word;
  throw Failure(core::kInvalidArgument, "option '" + std::string(key) + "' must be '" + std::string(first) +
                                            "' or '" + std::string(second) + "', not '" + word + "'");
}

/// A Request with what does not fit into it until all options are known.
struct Draft {
  Request request;
  bool bound = false;  // to a session
};

void set_request_id(Draft& draft, const Value& value) {
  Request& request = draft.request;
  if (const auto number = integer(value)) {
    request.number = number;
    request.claim.request_id = std::to_string(*request.number);
    return;
  }
  request.claim.request_id = text("request_id", value);
  if (request.claim.request_id.empty())
    throw Failure(core::kInvalidArgument, "option 'request_id' must not be empty");
}

using Setter = void (*)(Draft&, const Value&);

constexpr std::array<std::pair<std::string_view, Setter>, 8> kSetters = {{
    {"request_id", set_request_id},
    {"mode",
     [](Draft& draft, const Value& value) {
       draft.request.claim.mode = one_of("mode", value, "x", "s") == "s" ? Mode::kShared : Mode::kExclusive;
     }},
    {"session", [](Draft& draft, const Value& value) { draft.request.session = text("session", value); }},
    {"bind",
     [](Draft& draft, const Value& value) {
       draft.bound = one_of("bind", value, "lease", "session") == "session";
     }},
    {"lock_delay_ms",
     [](Draft& draft, const Value& value) {
       draft.request.claim.lock_delay = milliseconds(integer("lock_delay_ms", value));
     }},
    {"confirm_ms",
     [](Draft& draft, const Value& value) {
       draft.request.confirm = milliseconds(integer("confirm_ms", value));
     }},
    {"data", [](Draft& draft, const Value& value) { draft.request.claim.data = text("data", value); }},
    {"reentrant",
     [](Draft& draft, const Value& value) { draft.request.reentrant = flag("reentrant", value); }},
}};

void set_option(Draft& draft, const wire::DictEntry& entry) {
  const std::string key(wire::text_of(entry.key).value_or(""));
  const auto known =
      std::find_if(kSetters.begin(), kSetters.end(), [&](const auto& option) { return option.first == key; });
  if (known != kSetters.end()) {
    if (!entry.value.is_nil()) known->second(draft, entry.value);
    return;
  }
  std::string all;
  for (const auto& option : kSetters) all += (all.empty() ? "" : ", ") + std::string(option.first);
  throw Failure(core::kInvalidArgument, "unknown option '" + key + "'; there are " + all);
}

void set_session(Draft& draft, const Broker& broker) {
  Request& request = draft.request;
  request.indefinite = request.claim.lease == milliseconds(0) && draft.bound;
  if (request.indefinite) {
    if (!broker.engine().capabilities().indefinite)
      throw Failure(core::kUnsupported, "lease_ms=0 needs a broker with durability=sync");
    request.claim.lease = kSessionLease;
  }
  if (draft.bound && request.session.empty())
    throw Failure(core::kInvalidArgument, "bind='session' needs the option 'session'");
  if (!draft.bound && !request.session.empty())
    throw Failure(core::kInvalidArgument, "option 'session' needs bind='session'");
}

}  // namespace

Request request_of(Wanted wanted, const Broker& broker) {
  Draft draft;
  Claim& claim = draft.request.claim;
  claim.names = std::move(wanted.names);
  std::sort(claim.names.begin(), claim.names.end());
  claim.names.erase(std::unique(claim.names.begin(), claim.names.end()), claim.names.end());
  claim.owner = std::move(wanted.owner).value_or("");
  claim.lease = milliseconds(wanted.lease_ms);
  draft.request.wait = milliseconds(wanted.wait_ms);
  if (!wanted.opts.is_nil()) {
    const auto* opts = wanted.opts.as<wire::Dict>();
    if (opts == nullptr)
      throw Failure(core::kTypeError, "opts must be dict, not " + std::string(python_name(wanted.opts)));
    for (const wire::DictEntry& entry : *opts) set_option(draft, entry);
  }
  if (claim.owner.empty() && wanted.owner)
    throw Failure(core::kInvalidArgument, "owner must not be empty; nil stands for a new one");
  if (!wanted.owner && !claim.request_id.empty())
    throw Failure(core::kInvalidArgument, "option 'request_id' needs an owner, whose request it is");
  set_session(draft, broker);
  return std::move(draft.request);
}

std::string request_id_of(const Value& opts) {
  if (opts.is_nil()) return {};
  const auto* dict = opts.as<wire::Dict>();
  if (dict == nullptr)
    throw Failure(core::kTypeError, "opts must be dict, not " + std::string(python_name(opts)));
  Draft draft;
  for (const wire::DictEntry& entry : *dict) {
    if (wire::text_of(entry.key) != "request_id")
      throw Failure(core::kInvalidArgument, "a release has no option but 'request_id'");
    set_option(draft, entry);
  }
  return draft.request.claim.request_id;
}

std::vector<Ticketed> held_of(const Value& value) {
  const auto refuse = [&] [[noreturn]] {
    throw Failure(core::kTypeError, "held must be a list of [name, token]");
  };
  const auto* list = value.as<wire::List>();
  if (list == nullptr) refuse();
  std::vector<Ticketed> held;
  for (const Value& entry : *list) {
    const auto* pair = entry.as<wire::List>();
    if (pair == nullptr || pair->size() != 2) refuse();
    const auto name = wire::text_of(pair->front());
    const auto token = integer(pair->back());
    if (!name || !wire::is_utf8(*name) || !token) refuse();
    held.emplace_back(*name, *token);
  }
  return held;
}

}  // namespace zerosuite::lock
