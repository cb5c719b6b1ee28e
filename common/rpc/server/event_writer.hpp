// Writes a server's events: one buffer, one source of ids, and the only place that knows the formats of OK
// and ERR.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "rpc/observer.hpp"
#include "rpc/transport/sink.hpp"
#include "wire/event.hpp"
#include "wire/id.hpp"

namespace zerosuite::rpc {

/// The error that describes the exception being handled; to be called inside a catch block.
core::Error current_error();

/// Belongs to the loop's thread. Between begin() and send() nothing else may be begun.
class EventWriter {
 public:
  EventWriter(Sink& sink, std::size_t max_frame_bytes) : sink_(sink), max_frame_bytes_(max_frame_bytes) {}

  void add(Observer& observer) { observers_.push_back(&observer); }
  const std::vector<Observer*>& observers() const { return observers_; }

  /// Starts an event of the call's channel; the caller packs the args and send()s.
  wire::Packer begin(const CallInfo& call, std::string_view event);
  /// Sends the event begun. Throws core::Failure(TooLarge), having sent nothing, above the frame limit.
  Delivery send(const CallInfo& call);

  /// Sends OK with one value. Throws wire::Mismatch or core::Failure(TooLarge), having sent nothing, when the
  /// value cannot be sent.
  template <class T>
  Delivery ok(const CallInfo& call, const T& value) {
    for (Observer* observer : observers_) observer->after(call);
    wire::Packer out = begin(call, wire::kOk);
    out.pack_array(1);
    wire::pack(out, value);
    return send(call);
  }
  Delivery error(const CallInfo& call, const core::Error& error);
  Delivery stream_done(const CallInfo& call);
  Delivery heartbeat(const CallInfo& call);

  std::uint64_t errors() const { return errors_; }

 private:
  Sink& sink_;
  std::size_t max_frame_bytes_;
  std::vector<Observer*> observers_;
  wire::IdSource ids_;
  wire::Buffer buffer_;
  wire::Context context_;
  std::uint64_t errors_ = 0;
};

}  // namespace zerosuite::rpc
