#include "lock/api/request.hpp"

#include <algorithm>
#include <array>
#include <charconv>
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

[[noreturn]] void refuse_length(const char* what, std::size_t most, std::size_t size) {
  throw Failure(core::kInvalidArgument, std::string(what) + " must have at most " + std::to_string(most) +
                                            " elements, not " + std::to_string(size));
}

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
                                            "' or '" + std::string(second) + "', not " + quoted(word));
}

/// A Request with what does not fit into it until all options are known.
struct Draft {
  Request request;
  bool bound = false;  // to a session
};

bool is_number(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && std::to_string(number) == text;
}

// Both are kept as text. One that reads like an integer, or begins with the mark, gets the mark, so that 7
// and "7" stay two ids.
void set_request_id(Draft& draft, const Value& value) {
  Request& request = draft.request;
  if (const auto number = integer(value)) {
    request.number = number;
    request.spec.request_id = std::to_string(*request.number);
    return;
  }
  std::string id = text("request_id", value);
  if (id.empty()) throw Failure(core::kInvalidArgument, "option 'request_id' must not be empty");
  check_request_id(id);
  const bool marked = is_number(id) || id.front() == kTextMark;
  request.spec.request_id = (marked ? std::string(1, kTextMark) : std::string()) + id;
}

using Setter = void (*)(Draft&, const Value&);

constexpr std::array<std::pair<std::string_view, Setter>, 8> kSetters = {{
    {"request_id", set_request_id},
    {"mode",
     [](Draft& draft, const Value& value) {
       draft.request.spec.mode = one_of("mode", value, "x", "s") == "s" ? Mode::kShared : Mode::kExclusive;
     }},
    {"session", [](Draft& draft, const Value& value) { draft.request.session = text("session", value); }},
    {"bind",
     [](Draft& draft, const Value& value) {
       draft.bound = one_of("bind", value, "lease", "session") == "session";
     }},
    {"lock_delay_ms",
     [](Draft& draft, const Value& value) {
       draft.request.spec.lock_delay = milliseconds(integer("lock_delay_ms", value));
     }},
    {"confirm_ms",
     [](Draft& draft, const Value& value) {
       draft.request.confirm = milliseconds(integer("confirm_ms", value));
     }},
    {"data", [](Draft& draft, const Value& value) { draft.request.spec.data = text("data", value); }},
    {"reentrant",
     [](Draft& draft, const Value& value) { draft.request.reentrant = flag("reentrant", value); }},
}};

// No option is a list or a dict: such a value stands for its kind only, however much is in it.
Value read_option(wire::Reader& in) {
  const wire::Kind kind = in.peek();
  if (kind != wire::Kind::kArray && kind != wire::Kind::kMap) return wire::read_value(in);
  in.skip(wire::kChecked);
  return kind == wire::Kind::kArray ? Value(wire::List()) : Value(wire::Dict());
}

void set_option(Draft& draft, std::string_view key, const Value& value) {
  const auto known =
      std::find_if(kSetters.begin(), kSetters.end(), [&](const auto& option) { return option.first == key; });
  if (known != kSetters.end()) {
    if (!value.is_nil()) known->second(draft, value);
    return;
  }
  std::string all;
  for (const auto& option : kSetters) all += (all.empty() ? "" : ", ") + std::string(option.first);
  throw Failure(core::kInvalidArgument, "unknown option " + quoted(std::string(key)) + "; there are " + all);
}

template <class See>
void each_option(const DictArgument& opts, See see) {
  if (opts.size > kSetters.size()) refuse_length("opts", kSetters.size(), opts.size);
  wire::Reader in(opts.entries);
  for (std::uint32_t i = 0; i < opts.size; ++i) {
    const auto key = in.text();
    if (!key) in.skip(wire::kChecked);
    const Value value = read_option(in);
    see(key && wire::is_utf8(*key) ? *key : std::string_view(), value);
  }
}

void set_session(Draft& draft, const Broker& broker) {
  Request& request = draft.request;
  request.indefinite = request.spec.lease == milliseconds(0) && draft.bound;
  if (request.indefinite) {
    if (!broker.engine().capabilities().indefinite)
      throw Failure(core::kUnsupported, "lease_ms=0 needs a broker with durability=sync");
    const milliseconds most = broker.limits().most_held;
    request.spec.lease = most > milliseconds(0) ? std::min(most, kSessionLease) : kSessionLease;
  }
  if (draft.bound && request.session.empty())
    throw Failure(core::kInvalidArgument, "bind='session' needs the option 'session'");
  if (!draft.bound && !request.session.empty())
    throw Failure(core::kInvalidArgument, "option 'session' needs bind='session'");
}

}  // namespace

Request request_of(AcquireArgs wanted, const Broker& broker) {
  Draft draft;
  LockSpec& spec = draft.request.spec;
  spec.names = std::move(wanted.names);
  std::sort(spec.names.begin(), spec.names.end());
  spec.names.erase(std::unique(spec.names.begin(), spec.names.end()), spec.names.end());
  spec.owner = std::move(wanted.owner).value_or("");
  spec.lease = milliseconds(wanted.lease_ms);
  draft.request.client = std::move(wanted.client);
  draft.request.wait = milliseconds(wanted.wait_ms);
  each_option(wanted.opts, [&](auto key, const Value& value) { set_option(draft, key, value); });
  if (spec.owner.empty() && wanted.owner)
    throw Failure(core::kInvalidArgument, "owner must not be empty; nil stands for a new one");
  if (!wanted.owner && !spec.request_id.empty())
    throw Failure(core::kInvalidArgument, "option 'request_id' needs an owner, whose request it is");
  set_session(draft, broker);
  return std::move(draft.request);
}

std::string request_id_of(const DictArgument& opts) {
  Draft draft;
  each_option(opts, [&](auto key, const Value& value) {
    if (key != "request_id")
      throw Failure(core::kInvalidArgument, "a release has no option but 'request_id'");
    set_option(draft, key, value);
  });
  return draft.request.spec.request_id;
}

std::vector<std::string> names_of(const ListArgument& list, const Limits& limits) {
  if (list.size > limits.max_names) refuse_length("names", limits.max_names, list.size);
  std::vector<std::string> names;
  wire::Reader in(list.elements);
  try {
    for (std::uint32_t i = 0; i < list.size; ++i) names.push_back(wire::read<std::string>(in));
  } catch (const wire::Mismatch& mismatch) {
    const bool text = mismatch.why() == wire::Mismatch::Why::kText;
    throw Failure(text ? core::kValueError : core::kTypeError, std::string("each name ") + mismatch.what());
  }
  return names;
}

std::vector<Ticketed> held_of(const ListArgument& list, const Limits& limits) {
  if (list.size > limits.max_batch) refuse_length("held", limits.max_batch, list.size);
  std::vector<Ticketed> held;
  wire::Reader in(list.elements);
  for (std::uint32_t i = 0; i < list.size; ++i) {
    const bool pair = in.array() == 2U;
    const auto name = pair ? in.text() : std::nullopt;
    const auto token = name ? integer(read_option(in)) : std::nullopt;
    if (!token || !wire::is_utf8(*name))
      throw Failure(core::kTypeError, "held must be a list of [name, token]");
    held.emplace_back(*name, *token);
  }
  return held;
}

}  // namespace zerosuite::lock

namespace zerosuite::wire {
namespace {

std::string_view rest(std::string_view encoded, const Reader& at) {
  return encoded.substr(static_cast<std::size_t>(at.position() - encoded.data()));
}

}  // namespace

lock::ListArgument Foreign<lock::ListArgument>::read(Reader& in) {
  const std::string_view encoded = in.skip(kChecked);
  Reader list(encoded);
  const auto size = list.array();
  if (!size) throw_kind_mismatch("list", list.peek());
  return {*size, rest(encoded, list)};
}

lock::DictArgument Foreign<lock::DictArgument>::read(Reader& in) {
  if (in.nil()) return {};
  const std::string_view encoded = in.skip(kChecked);
  Reader dict(encoded);
  const auto size = dict.map();
  if (!size) throw_kind_mismatch("dict", dict.peek());
  return {*size, rest(encoded, dict)};
}

}  // namespace zerosuite::wire
