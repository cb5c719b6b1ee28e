// The broker's replies as clients see them: dicts with the keys of docs/locks.md.
#pragma once

#include <string_view>

#include "lock/broker/broker.hpp"
#include "wire/codec.hpp"

namespace zerosuite::lock {

/// The outcome of an acquire as its reply.
struct AnswerView {
  /// Whether the reply has the key `name` or `names`.
  enum class Form : std::uint8_t { kName, kNames };

  Answer answer;
  std::int64_t epoch = 0;
  Form form = Form::kName;  ///< For a single name; several always have `names`.
};

/// An event as a stream item: shared until it is packed for sending.
struct EventView {
  SharedEvent event;
};

std::string_view word(Mode mode);
std::string_view word(Busy::Reason reason);

wire::Value value_of(const Check& check);
wire::Value value_of(const Event& event);
wire::Value value_of(const HolderView& holder);
wire::Value value_of(const NameView& name);
wire::Value value_of(const Page& page);
wire::Value value_of(const Capabilities& capabilities);
wire::Value value_of(const Counters& counters);
/// A dict with the keys `done` and "lost".
wire::Value value_of(const BatchResult& result, std::string_view done);

}  // namespace zerosuite::lock

namespace zerosuite::wire {

// Packed without an intermediate Value, since most calls reply with these.
template <>
struct Foreign<lock::AnswerView> {
  static void pack(Packer& out, const lock::AnswerView& view);
};

template <>
struct Foreign<lock::Released> {
  static void pack(Packer& out, const lock::Released& released);
};

template <>
struct Foreign<lock::Extended> {
  static void pack(Packer& out, const lock::Extended& extended);
};

template <>
struct Foreign<lock::EventView> {
  static void pack(Packer& out, const lock::EventView& view) { wire::pack(out, value_of(*view.event)); }
};

}  // namespace zerosuite::wire
