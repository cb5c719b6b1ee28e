// Middleware: what may look at calls as they pass, and add header keys to what leaves (docs/protocol.md,
// "Middleware").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "wire/envelope.hpp"
#include "wire/event.hpp"

namespace zerosuite::rpc {

/// One call as the server sees it. Views are valid during the hook or method that is given it.
struct CallInfo {
  std::string_view method;               ///< As the client wrote it.
  const wire::Envelope* peer = nullptr;  ///< The way back; never null in a call that goes on.
  std::string_view id;                   ///< The channel's id, encoded.
  /// The request's header, encoded; see wire::header_text(). Of a call that is answered later only its trace
  /// keys are kept.
  std::string_view header;
  std::uint64_t version = 3;  ///< The client's protocol version.

  /// Whom shares of what is limited are counted for: opaque, one for each connection.
  std::string client() const { return peer->client(); }
};

/// Why an incoming message was dropped, when not for a wire::Fault.
enum class Drop : std::uint8_t {
  kEnvelope,     ///< More identity frames than the limit, or one that cannot be an identity.
  kLate,         ///< For a channel that is closed or never was; normal after a reply.
  kDuplicateId,  ///< A second call under the id of one that is open on the same connection.
};
inline constexpr std::size_t kDrops = 3;
std::string_view describe(Drop drop);

/// Hooks around every call, called on the loop's thread in order of registration. They must not throw.
/// Order and moments are zerorpc-python's (context.py): before the method; after it, just before OK or
/// STREAM_DONE leaves, but not on errors.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void before(const CallInfo&) {}
  virtual void after(const CallInfo&) {}
  virtual void failed(const CallInfo&, const core::Error&) {}
  /// The client of an open call vanished or cancelled. A deadline that passes is failed() with
  /// DeadlineExceeded.
  virtual void lost(const CallInfo&) {}
  /// Adds keys to the header of OK, ERR, STREAM or STREAM_DONE.
  virtual void outgoing(const CallInfo&, wire::Context&) {}
  /// Messages were dropped: reported once for each peer, reason and minute.
  virtual void dropped(const wire::Envelope& /*peer*/, std::string_view /*reason*/) {}
};

}  // namespace zerosuite::rpc
