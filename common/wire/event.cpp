#include "wire/event.hpp"

#include <array>
#include <bit>
#include <cstring>

#include "core/keyed_hash.hpp"
#include "core/text.hpp"

namespace zerosuite::wire {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kVersion = 3;

Fault fault_of(Damage damage, Fault malformed) {
  switch (damage) {
    case Damage::kTooDeep:
      return Fault::kTooDeep;
    case Damage::kTooMany:
      return Fault::kTooMany;
    default:
      return malformed;
  }
}

// What a stock Python server can look up and echo: no arrays or maps. Some clients send nil for no id.
bool is_id(std::string_view encoded, const Limits& limits) {
  Reader in(encoded);
  std::string_view text;
  if (in.take_text(text)) return text.size() <= limits.max_id_bytes;
  const Kind kind = in.peek();
  if (kind == Kind::kNil || kind == Kind::kArray || kind == Kind::kMap) return false;
  return encoded.size() <= limits.max_id_bytes;
}

void read_version(std::string_view encoded, Event& event) {
  Reader in(encoded);
  const auto version = try_integer(in);
  if (version && *version > 0) event.version = static_cast<std::uint64_t>(*version);
}

std::optional<std::int64_t> milliseconds_in(std::string_view encoded) {
  Reader in(encoded);
  constexpr Integer kLongest = std::int64_t{1} << 53;  // exact in a double; about 285 000 years
  const auto whole = in.integer();
  const auto real = whole ? std::nullopt : in.floating();
  if (whole && *whole <= kLongest && *whole >= -kLongest) return static_cast<std::int64_t>(*whole);
  if (real && std::abs(*real) <= static_cast<double>(kLongest)) return static_cast<std::int64_t>(*real);
  return std::nullopt;
}

// With ==, the length is not known at compile time and each comparison calls memcmp().
template <std::size_t N>
bool is(std::string_view text, const char (&literal)[N]) {
  return text.size() == N - 1 && std::memcmp(text.data(), literal, N - 1) == 0;
}

// Skips unknown keys of any type.
Fault read_header(Reader& in, const Limits& limits, Event& event) {
  const char* const start = in.position();
  const auto pairs = in.map();
  if (!pairs) return Fault::kNotMsgpack;
  bool id_refused = false;
  for (std::uint32_t i = 0; i < *pairs; ++i) {
    std::string_view key;
    const bool named = in.take_text(key);
    if (!named && in.skip(limits).empty()) return fault_of(in.damage(), Fault::kNotMsgpack);
    const std::string_view value = in.skip(limits);
    if (value.empty()) return fault_of(in.damage(), Fault::kNotMsgpack);
    if (!named) continue;
    if (is(key, "message_id")) {
      id_refused = !is_id(value, limits);
      if (!id_refused) event.id = value;
    } else if (is(key, "response_to")) {
      if (Reader(value).peek() != Kind::kNil) event.response_to = value;
    } else if (is(key, "v")) {
      read_version(value, event);
    } else if (is(key, "timeout_ms")) {
      event.timeout_ms = milliseconds_in(value);
    } else if (is(key, "heartbeat_ms")) {
      event.heartbeat_ms = milliseconds_in(value);
    }
  }
  if (id_refused) event.id = {};
  event.header = {start, static_cast<std::size_t>(in.position() - start)};
  return event.header.size() <= limits.max_header_bytes ? Fault::kNone : Fault::kLongHeader;
}

void append(Buffer& out, std::string_view bytes) { out.write(bytes.data(), bytes.size()); }

void put_text(Packer& packer, Buffer& out, std::string_view text) {
  packer.pack_str(static_cast<std::uint32_t>(text.size()));
  append(out, text);
}

// Appends the args of an ERR, with bytes that are valid text as text.
void append_words(Packer& packer, Buffer& out, std::string_view args) {
  Reader in(args);
  const auto count = in.array();
  if (!count) return append(out, args);
  packer.pack_array(*count);
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto bytes = Reader(in).bin();
    const std::string_view encoded = in.skip(kChecked);
    bytes&& core::is_utf8(*bytes) ? put_text(packer, out, *bytes) : append(out, encoded);
  }
}

// Fills the event in place: it is too large to copy for every message.
Fault read_event(std::string_view payload, const Limits& limits, Event& event) {
  Reader in(payload);
  const Kind outer = in.peek();
  const auto parts = in.array();
  if (!parts) return outer == Kind::kNone || outer == Kind::kArray ? Fault::kNotMsgpack : Fault::kNotAnEvent;
  if (*parts != 3 || (in.peek() != Kind::kMap && !in.at_end())) return Fault::kNotAnEvent;
  const Fault fault = read_header(in, limits, event);
  if (event.id.empty() && (fault == Fault::kNone || fault == Fault::kLongHeader)) return Fault::kNoId;
  if (fault != Fault::kNone) return fault;
  if (payload.size() > limits.max_frame_bytes) return Fault::kTooLarge;
  if (!in.take_text(event.name))
    return in.peek() == Kind::kStr || in.at_end() ? Fault::kDamagedArgs : Fault::kBadName;
  event.args = payload.substr(static_cast<std::size_t>(in.position() - payload.data()));
  return Fault::kNone;
}

}  // namespace

std::string_view describe(Fault fault) {
  constexpr std::array<std::string_view, kFaults> kTexts{
      "fine",
      "not MessagePack",
      "not an event [header, name, args]",
      "no usable message_id",
      "the method name is not text",
      "the arguments are damaged or cut short",
      "arrays and maps nested too deep",
      "too many values",
      "the message is longer than the limit",
      "the header is longer than the limit",
  };
  return kTexts[static_cast<std::size_t>(fault)];
}

Event peek(std::string_view payload, const Limits& limits) {
  Event event;
  event.fault = read_event(payload, limits, event);
  return event;
}

Event decode(std::string_view payload, const Limits& limits) {
  Event event = peek(payload, limits);
  if (event.fault != Fault::kNone) return event;
  Reader in(event.args);
  event.args = in.skip(limits);
  if (event.args.empty()) event.fault = fault_of(in.damage(), Fault::kDamagedArgs);
  return event;
}

std::string_view id_text(std::string_view encoded_id) {
  Reader in(encoded_id);
  const auto text = in.text();
  return text.value_or(std::string_view());
}

IdKey IdKey::respelled() const {
  if (kind == Kind::kStr) return {Kind::kBin, text};
  if (kind == Kind::kBin) return {Kind::kStr, text};
  return *this;
}

IdKey id_key(std::string_view encoded_id) {
  Reader in(encoded_id);
  const Kind kind = in.peek();
  switch (kind) {
    case Kind::kStr:
    case Kind::kBin:
      return {kind, in.text().value_or(std::string_view())};
    case Kind::kBool:
      return {kind, {}, in.boolean().value_or(false) ? 1 : 0};
    case Kind::kInt:
    case Kind::kFloat:
      if (const auto number = try_integer(in)) return {Kind::kInt, {}, *number};
      return {kind, {}, std::bit_cast<std::int64_t>(in.floating().value_or(0))};
    default:
      return {kind, encoded_id};
  }
}

std::uint64_t grant_of(std::string_view args) {
  Reader in(args);
  if (in.array().value_or(0) == 0) return 0;
  const Integer n = try_integer(in).value_or(0);
  return n > 0 ? static_cast<std::uint64_t>(n) : 0;
}

std::string trace_keys(std::string_view header) {
  constexpr std::size_t kLongest = 512;
  Buffer entries(0);
  Packer packer(entries);
  std::uint32_t count = 0;
  for (const std::string_view key : {"traceparent"sv, "tracestate"sv}) {
    const std::string_view value = header_text(header, key);
    if (value.empty() || value.size() > kLongest) continue;
    packer.pack_str(static_cast<std::uint32_t>(key.size()));
    append(entries, key);
    packer.pack_str(static_cast<std::uint32_t>(value.size()));
    append(entries, value);
    ++count;
  }
  if (count == 0) return {};
  return static_cast<char>(0x80 | count) + std::string(entries.data(), entries.size());
}

Buffer renamed(std::string_view payload, const Event& event, std::string_view name) {
  const char* const behind_header = event.header.data() + event.header.size();
  Buffer out(payload.size());
  append(out, payload.substr(0, static_cast<std::size_t>(behind_header - payload.data())));
  Packer(out).pack_str(static_cast<std::uint32_t>(name.size()));
  append(out, name);
  append(out, event.args);
  return out;
}

bool names_in_bytes(const Event& event) {
  const char* const behind_header = event.header.data() + event.header.size();
  return Reader({behind_header, 1}).peek() == Kind::kBin;
}

Buffer modernized(std::string_view payload, const Event& event, std::string_view response_to) {
  Buffer out(payload.size() + response_to.size());
  Packer packer(out);
  packer.pack_array(3);
  Reader header(event.header);
  const std::uint32_t pairs = header.map().value_or(0);
  packer.pack_map(pairs);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const auto key = Reader(header).text();
    const std::string_view encoded_key = header.skip(kChecked);
    key ? put_text(packer, out, *key) : append(out, encoded_key);
    const std::string_view value = header.skip(kChecked);
    append(out, key == "response_to"sv ? response_to : value);
  }
  put_text(packer, out, event.name);
  if (event.name == kErr) {
    append_words(packer, out, event.args);
  } else {
    append(out, event.args);
  }
  return out;
}

std::string_view header_text(std::string_view header, std::string_view key) {
  Reader in(header);
  const auto pairs = in.map().value_or(0);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    const auto name = in.str();
    if (!name) in.skip(kChecked);
    const std::string_view value = in.skip(kChecked);
    if (name && *name == key) return Reader(value).str().value_or(std::string_view());
  }
  return {};
}

void begin_event(Buffer& out, const Head& head) {
  const std::uint32_t extra = head.context ? head.context->count() : 0;
  Packer packer(out);
  packer.pack_array(3);
  packer.pack_map(2 + extra + (head.response_to.empty() ? 0 : 1));
  append(out, "\xaamessage_id"sv);
  append(out, head.id);
  append(out, "\xa1v"sv);
  packer.pack_uint64(kVersion);
  if (extra > 0) append(out, head.context->encoded());
  if (!head.response_to.empty()) {
    append(out, "\xabresponse_to"sv);
    append(out, head.response_to);
  }
  packer.pack_str(static_cast<std::uint32_t>(head.name.size()));
  append(out, head.name);
}

}  // namespace zerosuite::wire

std::size_t std::hash<zerosuite::wire::IdKey>::operator()(const zerosuite::wire::IdKey& key) const {
  const zerosuite::core::KeyedHash keyed;
  return key.text.empty() ? keyed(static_cast<std::uint64_t>(key.number)) : keyed(key.text);
}
