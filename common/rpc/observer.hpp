// Middleware: observes calls as they pass, and may add header keys to outgoing events (docs/protocol.md,
// "Middleware").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "wire/envelope.hpp"
#include "wire/event.hpp"

namespace zerosuite::rpc {

/// One call as the server sees it. Views are valid during the hook or method that receives it.
struct CallInfo {
  std::string_view method;               ///< As the client wrote it.
  const wire::Envelope* peer = nullptr;  ///< The return path; never null in an open call.
  std::string_view id;                   ///< The channel's id, encoded.
  /// The request's header, encoded; see wire::header_text(). For a call that is replied to later, only the
  /// trace keys are kept.
  std::string_view header;
  std::uint64_t version = 3;  ///< The client's protocol version.

  /// The client that quotas are counted for: opaque, one for each connection.
  std::string client() const { return peer->client(); }
};

/// Why an incoming message was dropped, other than for a wire::Fault.
enum class Drop : std::uint8_t {
  kEnvelope,     ///< More identity frames than the limit, or a frame that cannot be an identity.
  kLate,         ///< For a channel that is closed or never existed; normal after a reply.
  kDuplicateId,  ///< A second call with the id of a call that is open on the same connection.
};
inline constexpr std::size_t kDrops = 3;
std::string_view describe(Drop drop);

/// Hooks around every call, called on the loop's thread in order of registration. They must not throw.
/// before() and after() are called as in zerorpc-python (context.py): before the method; and after it, just
/// before OK or STREAM_DONE is sent, but not on errors.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void before(const CallInfo&) {}
  virtual void after(const CallInfo&) {}
  virtual void failed(const CallInfo&, const core::Error&) {}
  /// The client of an open call vanished or cancelled. A passed deadline is reported by failed() with
  /// DeadlineExceeded.
  virtual void lost(const CallInfo&) {}
  /// May add keys to the header of OK, ERR, STREAM or STREAM_DONE.
  virtual void outgoing(const CallInfo&, wire::Context&) {}
  /// Messages were dropped. Called once for each peer, reason and minute.
  virtual void dropped(const wire::Envelope& /*peer*/, std::string_view /*reason*/) {}
};

}  // namespace zerosuite::rpc
