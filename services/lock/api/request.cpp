#include "lock/api/request.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace zerosuite::lock {
namespace {

using core::Failure;
using rpc::Options;
using wire::Integer, wire::Value;

constexpr milliseconds kSessionLease{30'000};  // of an indefinite hold after a broker restart

[[noreturn]] void refuse_length(const char* what, std::size_t most, std::size_t size) {
  throw Failure(core::kInvalidArgument, std::string(what) + " must have at most " + std::to_string(most) +
                                            " elements, not " + std::to_string(size));
}

// No option is a list or a dict, so such a value is read as an empty one, regardless of its size.
Value shallow_value(wire::Reader& in) {
  const wire::Kind kind = in.peek();
  if (kind != wire::Kind::kArray && kind != wire::Kind::kMap) return wire::read_value(in);
  in.skip(wire::kChecked);
  return kind == wire::Kind::kArray ? Value(wire::List()) : Value(wire::Dict());
}

// nil if the option is missing.
Value option_of(const Options& opts, std::string_view key) {
  wire::Reader in(opts.find(key));
  return in.at_end() ? Value() : shallow_value(in);
}

std::optional<std::string> text(const Options& opts, std::string_view key) {
  const auto bytes = wire::Reader(opts.find(key)).bin();
  if (bytes && !core::is_utf8(*bytes))
    throw Failure(core::kInvalidArgument, "option '" + std::string(key) + "' must be UTF-8");
  return opts.text(key);
}

// Accepts an integral float too: that is how Node sends large integers, such as tokens.
std::optional<std::int64_t> integer(const Value& value) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (const auto* number = value.as<Integer>())
    return static_cast<std::int64_t>(std::clamp<Integer>(*number, -kMost, kMost));
  constexpr double kExact = 1LL << 53;
  const auto* real = value.as<double>();
  if (real == nullptr || std::trunc(*real) != *real || std::abs(*real) > kExact) return {};
  return static_cast<std::int64_t>(*real);
}

milliseconds duration(const Options& opts, std::string_view key) {
  const Value value = option_of(opts, key);
  if (value.is_nil()) return milliseconds(0);
  const auto number = integer(value);
  if (!number)
    throw Failure(core::kTypeError,
                  "option '" + std::string(key) + "' must be int, not " + std::string(python_name(value)));
  return milliseconds(*number);
}

// Whether the option is `second`; a missing one is `first`.
bool is_second(const Options& opts, std::string_view key, std::string_view first, std::string_view second) {
  const std::string word = text(opts, key).value_or(std::string(first));
  if (word == first || word == second) return word == second;
  throw Failure(core::kInvalidArgument, "option '" + std::string(key) + "' must be '" + std::string(first) +
                                            "' or '" + std::string(second) + "', not " + quoted(word));
}

/// A Request, and what it has no field for.
struct Draft {
  Request request;
  bool bound = false;  // to a session
};

bool is_number(const std::string& text) {
  const auto number = core::parse<std::int64_t>(text);
  return number && std::to_string(*number) == text;
}

// An id is stored as text. A text that looks like an integer, or begins with kTextMark, gets kTextMark
// prepended, so that 7 and "7" stay different ids.
void set_request_id(Request& request, const Options& opts) {
  const Value value = option_of(opts, "request_id");
  if (value.is_nil()) return;
  if (const auto number = integer(value)) {
    request.number = number;
    request.spec.request_id = std::to_string(*request.number);
    return;
  }
  const std::string id = *text(opts, "request_id");
  if (id.empty()) throw Failure(core::kInvalidArgument, "option 'request_id' must not be empty");
  check_request_id(id);
  const bool marked = is_number(id) || id.front() == kTextMark;
  request.spec.request_id = (marked ? std::string(1, kTextMark) : std::string()) + id;
}

void set_options(Draft& draft, const Options& opts) {
  opts.expect({"request_id", "mode", "session", "bind", "lock_delay_ms", "confirm_ms", "data", "reentrant"});
  Request& request = draft.request;
  set_request_id(request, opts);
  request.spec.mode = is_second(opts, "mode", "x", "s") ? Mode::kShared : Mode::kExclusive;
  request.session = text(opts, "session").value_or("");
  draft.bound = is_second(opts, "bind", "lease", "session");
  request.spec.lock_delay = duration(opts, "lock_delay_ms");
  request.confirm = duration(opts, "confirm_ms");
  request.spec.data = text(opts, "data").value_or("");
  request.reentrant = opts.flag("reentrant").value_or(true);
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
  set_options(draft, wanted.opts);
  if (spec.owner.empty() && wanted.owner)
    throw Failure(core::kInvalidArgument, "owner must not be empty; nil stands for a new one");
  if (!wanted.owner && !spec.request_id.empty())
    throw Failure(core::kInvalidArgument, "option 'request_id' needs an owner, whose request it is");
  set_session(draft, broker);
  return std::move(draft.request);
}

std::string request_id_of(const Options& opts) {
  opts.expect({"request_id"});
  Request request;
  set_request_id(request, opts);
  return request.spec.request_id;
}

std::vector<std::string> names_of(const ListArgument& list, const Limits& limits) {
  if (list.size > limits.max_names) refuse_length("names", limits.max_names, list.size);
  std::vector<std::string> names;
  wire::Reader in(list.elements);
  try {
    for (std::uint32_t i = 0; i < list.size; ++i) names.push_back(wire::read<std::string>(in));
  } catch (const wire::Mismatch& mismatch) {
    throw Failure(wire::to_error(mismatch, "each name "));
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
    const auto token = name ? integer(shallow_value(in)) : std::nullopt;
    if (!token || !core::is_utf8(*name))
      throw Failure(core::kTypeError, "held must be a list of [name, token]");
    held.emplace_back(*name, *token);
  }
  return held;
}

}  // namespace zerosuite::lock

namespace zerosuite::wire {

lock::ListArgument Foreign<lock::ListArgument>::read(Reader& in) {
  const std::string_view encoded = in.skip(kChecked);
  Reader list(encoded);
  const auto size = list.array();
  if (!size) throw_kind_mismatch("list", list.peek());
  return {*size, encoded.substr(static_cast<std::size_t>(list.position() - encoded.data()))};
}

}  // namespace zerosuite::wire
