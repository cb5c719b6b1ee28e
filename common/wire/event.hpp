// zerorpc events: [header, name, args] in one MessagePack payload (docs/protocol.md, "Events"; zerorpc-python
// events.py).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "wire/codec.hpp"
#include "wire/limits.hpp"

namespace zerosuite::wire {

// Event names.
inline constexpr std::string_view kOk = "OK";
inline constexpr std::string_view kErr = "ERR";
inline constexpr std::string_view kStream = "STREAM";
inline constexpr std::string_view kStreamDone = "STREAM_DONE";
inline constexpr std::string_view kHeartbeat = "_zpc_hb";
inline constexpr std::string_view kMore = "_zpc_more";
/// An extension of this suite: the caller cancels. Stock servers ignore it.
inline constexpr std::string_view kCancel = "_zpx_cancel";

/// What is wrong with a payload.
enum class Fault : std::uint8_t {
  kNone,
  kNotMsgpack,   ///< Empty, or truncated or damaged before the name.
  kNotAnEvent,   ///< Not an array of three with a map in front.
  kNoId,         ///< No message_id, or one that is nil, an array, a map or above the limit.
  kBadName,      ///< The name is not text.
  kDamagedArgs,  ///< Truncated or damaged after the name.
  kTooDeep,      ///< Header or args nested deeper than the limit.
  kTooMany,      ///< More values than the limit in the args, or in one value of the header.
  kTooLarge,     ///< Longer than the frame limit.
  kLongHeader,   ///< A header longer than its limit.
};
inline constexpr std::size_t kFaults = 10;
/// For logs and error texts.
std::string_view describe(Fault fault);

/// One event as views into its payload.
struct Event {
  Fault fault = Fault::kNone;
  std::string_view id;           ///< message_id as encoded; never empty when fault is kNone.
  std::string_view response_to;  ///< As encoded; empty on an event that opens a channel.
  std::string_view name;
  std::string_view args;                   ///< One encoded value, checked; empty unless fault is kNone.
  std::string_view header;                 ///< The encoded map.
  std::uint64_t version = 1;               ///< 1 when missing.
  std::optional<std::int64_t> timeout_ms;  ///< The call's deadline, counted from arrival.
  std::optional<std::int64_t>
      heartbeat_ms;  ///< The interval of the client's heartbeats, if it announces one.

  /// Whether a request that failed to decode can still get an ERR as its reply: everything up to the id was
  /// read.
  bool answerable() const { return !id.empty() && response_to.empty(); }
};

/// Reads header and name only, in time independent of the args: these are all the bytes after the name,
/// unchecked, too few or too many. Never throws, never allocates; a fault is in the result.
Event peek(std::string_view payload, const Limits& limits);

/// Reads a whole event. Never throws, never allocates; a fault is in the result.
Event decode(std::string_view payload, const Limits& limits);

/// The id's text or bytes without the msgpack prefix, so that bin and str echoes of one id compare equal;
/// empty for an integer id.
std::string_view id_text(std::string_view encoded_id);

/// Defines when two ids are the same: by value rather than encoding, since a peer that decodes an id may echo
/// it with another prefix. Numbers are compared by value, an integral float equal to its integer; text and
/// bytes are different ids, as in Python; arrays, maps and extensions are compared as encoded. A view into
/// the encoded id.
struct IdKey {
  Kind kind = Kind::kNone;
  std::string_view text;
  Integer number = 0;  ///< The value; for a float that is not integral, its bits.
  friend bool operator==(const IdKey&, const IdKey&) = default;

  /// The same characters as bytes for text, and as text for bytes; itself otherwise. Python 2 peers have one
  /// type for both and may echo one for the other: to be looked up when the id itself is unknown.
  IdKey respelled() const;
};
IdKey id_key(std::string_view encoded_id);

/// Returns n from `[n]`, the args of a grant: an integer, a bool or an integral float, as Python reads it; 0
/// for anything else and for a negative number. The args need not have been checked.
std::uint64_t grant_of(std::string_view args);

/// `payload` with another event name and otherwise byte for byte the same. `event` is the result of peek().
Buffer renamed(std::string_view payload, const Event& event, std::string_view name);

/// Whether the event's name is bytes, as Python 2.7 with a current msgpack sends all text. Such a peer's
/// header keys are bytes too, so a current stock client finds none of them. `event` is the result of peek().
bool names_in_bytes(const Event& event);
/// `payload` as a current peer would have sent it in reply to `response_to`: with text for the name, the
/// header's keys and the strings of an ERR. The rest is unchanged. `event` is the result of peek().
Buffer modernized(std::string_view payload, const Event& event, std::string_view response_to);

/// The text of one header key; empty when it is missing or not text.
std::string_view header_text(std::string_view header, std::string_view key);

/// The keys of a header that are kept with a call: `traceparent` and `tracestate`, encoded as a map. Values
/// longer than W3C requires to be propagated (512 bytes) are omitted.
std::string trace_keys(std::string_view header);

/// Further header keys beside the protocol's own, encoded one after the other.
class Context {
 public:
  /// Throws Mismatch when `value` cannot be sent.
  template <class T>
  void add(std::string_view key, const T& value) {
    Buffer entry(64);  // separate, so that a value that cannot be sent leaves nothing behind
    Packer packer(entry);
    pack_text(packer, key);
    pack(packer, value);
    encoded_.write(entry.data(), entry.size());
    ++count_;
  }
  std::uint32_t count() const { return count_; }
  std::string_view encoded() const { return {encoded_.data(), encoded_.size()}; }
  void clear() {
    encoded_.clear();
    count_ = 0;
  }

 private:
  Buffer encoded_{64};
  std::uint32_t count_ = 0;
};

/// The parts of an event in front of its args.
struct Head {
  std::string_view id;           ///< Encoded.
  std::string_view response_to;  ///< Encoded, as received; empty to open a channel.
  std::string_view name;
  const Context* context = nullptr;
};

/// Appends `[{message_id, v: 3, <context>, response_to}, name,`; the caller packs the args next.
void begin_event(Buffer& out, const Head& head);

}  // namespace zerosuite::wire

template <>
struct std::hash<zerosuite::wire::IdKey> {
  std::size_t operator()(const zerosuite::wire::IdKey& key) const;
};
