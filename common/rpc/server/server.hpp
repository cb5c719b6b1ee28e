// A zerorpc server without a socket: messages and time in, messages out (docs/protocol.md).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/chores.hpp"
#include "net/offload.hpp"
#include "net/timers.hpp"
#include "rpc/observer.hpp"
#include "rpc/server/builtins.hpp"
#include "rpc/server/channel.hpp"
#include "rpc/server/channel_table.hpp"
#include "rpc/server/drop_log.hpp"
#include "rpc/server/event_writer.hpp"
#include "rpc/server/method.hpp"
#include "rpc/server/recalls.hpp"
#include "rpc/server/server_options.hpp"
#include "rpc/transport/sink.hpp"
#include "wire/limits.hpp"

namespace zerosuite::rpc {

/// Counters since the start, and the number of open channels.
struct ServerStats {
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t lost = 0;  ///< Calls whose client vanished or cancelled.
  std::array<std::uint64_t, wire::kFaults> faults{};
  std::array<std::uint64_t, kDrops> drops{};
  std::size_t channels = 0;  ///< Open now.
};

/// Loop thread only. A call replied to before its method returns enters no table and arms no timer; every
/// other call is in the table, with a timer, until it is replied to or lost.
class Server final : private ChannelHost {
 public:
  Server(net::Timers& timers, Sink& sink, net::Offload& offload, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Registers a method; see method.hpp for the shapes a callable may have.
  template <std::size_t N, class F>
  Method& method(std::string name, const Param (&params)[N], std::string doc, F function) {
    return methods_.add(std::move(name), params, std::move(doc), std::move(function));
  }
  template <class F>
  Method& method(std::string name, std::string doc, F function) {
    return methods_.add(std::move(name), std::move(doc), std::move(function));
  }
  /// Registers a method that changes nothing, and so is Method::idempotent.
  template <std::size_t N, class F>
  void query(std::string name, const Param (&params)[N], std::string doc, F function) {
    method(std::move(name), params, std::move(doc), std::move(function)).idempotent = true;
  }
  template <class F>
  void query(std::string name, std::string doc, F function) {
    method(std::move(name), std::move(doc), std::move(function)).idempotent = true;
  }
  /// Declares every method registered so far Method::idempotent.
  void declare_idempotent() { methods_.declare_idempotent(); }
  /// Declares these methods Method::relief. Throws std::invalid_argument for a name that is not registered.
  void declare_relief(std::initializer_list<std::string_view> names) { methods_.declare_relief(names); }
  /// Makes the built-ins describe `catalogue` instead of the server's own methods; it must outlive the
  /// server's calls.
  void describe_by(const Catalogue& catalogue) { catalogue_ = &catalogue; }
  /// Adds middleware; it must outlive the server.
  void observe(Observer& observer) { writer_.add(observer); }

  /// One message as a ROUTER receives it: identity frames, delimiter, payload. Replies are sent to an
  /// envelope of the same link.
  void receive(std::span<const std::string_view> frames, wire::Link link = 0);
  /// A connection of link 0 has ended: every call from it is lost and gets no reply. The methods are notified
  /// at the end of the turn, or of later turns when there are very many; a method that replies before that is
  /// notified next.
  void lose_connection(std::string_view identity);
  /// The link has ended: every call from it is lost.
  void lose_link(wire::Link link);

  /// From now on new calls get ERR ShuttingDown. Calls `idle` once no call is open; at once when none is.
  void drain(std::function<void()> idle);
  /// Ends every open call with ERR ShuttingDown and notifies its method.
  void abort();

  /// The call whose method is running, to pass its header on; null when none is.
  const CallInfo* current_call() const { return current_; }
  const Methods& methods() const { return methods_; }
  const std::string& name() const { return options_.name; }
  ServerStats stats() const;

 private:
  struct Dispatch;

  void on_request(const wire::Envelope& peer, const wire::Event& event);
  void run(const Method& method, const CallInfo& call, const wire::Event& event);
  void on_channel_event(const wire::Envelope& peer, const wire::Event& event);
  void refuse(const wire::Envelope& peer, const wire::Event& event);
  void drop(const wire::Envelope& peer, Drop reason);
  void report(const wire::Envelope& peer, std::string_view reason);
  const Method* find(std::string_view name) const;
  void keep_open();
  /// Loses every call of a connection, whose peer may be a proxy with many clients.
  void lose_client(const wire::Envelope& peer);
  void lose_all(const ChannelTable::Pointers& channels);
  void start_losing();
  bool lose_next();

  net::Timers& timers() override { return timers_; }
  EventWriter& writer() override { return writer_; }
  const ChannelOptions& channel_options() const override { return options_.channel; }
  void closed(Channel& channel) override;
  void answered(const Channel& channel, std::function<void()> undo) override {
    recalls_.keep(*channel.call().peer, channel.call().id, std::move(undo), timers_.now());
  }
  void peer_gone(Channel& channel) override;
  void lose_later(Channel& channel) override;
  void count_lost() override { ++stats_.lost; }

  net::Timers& timers_;
  net::Offload& offload_;
  ServerOptions options_;
  EventWriter writer_;
  Methods methods_;
  OwnMethods own_methods_{methods_};
  const Catalogue* catalogue_ = &own_methods_;
  ChannelTable channels_;
  std::deque<std::shared_ptr<Channel>> to_lose_;  // marked lost, to be notified in this order
  net::Chores chores_;
  Recalls recalls_;
  ServerStats stats_;
  DropLog drop_log_;
  wire::Envelope envelope_;  // envelope of the message being received
  const CallInfo* current_ = nullptr;
  std::shared_ptr<Channel> unkept_;  // channel of the running method's call, not in the table yet
  bool losing_ = false;
  bool draining_ = false;
  std::function<void()> idle_;
};

}  // namespace zerosuite::rpc
