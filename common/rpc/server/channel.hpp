// The server's side of one call whose method may reply later: heartbeats, credit, deadline, stream and
// cancellation.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "net/timers.hpp"
#include "rpc/conversation.hpp"
#include "rpc/heartbeat.hpp"
#include "rpc/server/event_writer.hpp"
#include "rpc/server/server_options.hpp"
#include "rpc/server/stream.hpp"

namespace zerosuite::rpc {

class Channel;

/// What a channel needs from its server.
class ChannelHost {
 public:
  virtual net::Timers& timers() = 0;
  virtual EventWriter& writer() = 0;
  virtual const ChannelOptions& channel_options() const = 0;
  /// A channel that was kept has ended and must be removed from the table. It stays alive until the caller
  /// releases it.
  virtual void closed(Channel& channel) = 0;
  /// A reply on the channel could not be delivered: every channel of its peer is lost, this one first.
  /// Notifies no method inside this call.
  virtual void peer_gone(Channel& channel) = 0;
  /// The channel has ended while its method may be pushing to it; the method is to be notified afterwards.
  virtual void lose_later(Channel& channel) = 0;
  /// The channel's reply was sent; `undo` is to be called if it turns out not to have been delivered.
  virtual void answered(const Channel& channel, std::function<void()> undo) = 0;
  /// A client was given up without a reply.
  virtual void count_lost() = 0;

 protected:
  ~ChannelHost() = default;
};

/// Loop thread only. Owned by the Reply, and from keep() on, while open, by the server's table. Most calls
/// are replied to before their method returns, and then a channel costs little more than the reply.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  /// What `call` refers to must stay valid until keep(); `request` is the call's first event.
  Channel(ChannelHost& host, const CallInfo& call, const wire::Event& request);

  /// The method has returned without a reply: copies what is needed of the request, and starts heartbeats and
  /// the deadline.
  void keep();

  /// Empty once the method has replied before returning.
  const CallInfo& call() const { return call_; }
  /// Whether anything can still be sent.
  bool open() const { return host_ != nullptr && !marked_lost_; }
  /// Bytes kept of what the client sent. The rest of a channel has a fixed size.
  std::size_t kept_bytes() const {
    return peer_.bytes().size() + id_.size() + trace_.size() + method_.size();
  }

  // From the client.
  void heard_heartbeat(std::string_view args);
  void granted(std::string_view args);
  void cancelled() { lose(); }

  /// The client is gone: from now on nothing is sent. lose() must still be called.
  void mark_lost();
  /// Whether the method was notified that the reply is no longer wanted.
  bool told_lost() const { return lost_; }
  bool marked_lost() const { return marked_lost_ && host_ != nullptr; }

  /// Maximum number of items pushed that wait for credit; zero once the channel is closed.
  std::size_t max_pending_items() const {
    return host_ == nullptr ? 0 : host_->channel_options().max_pending_items;
  }

  // From the method. Each is ignored once the channel is closed.
  /// Sends OK. Needs no grant, since the first reply event is free.
  template <class T>
  void ok(const T& value) {
    if (marked_lost()) return host_->peer_gone(*this);
    if (!open()) return;
    try {
      settle(host_->writer().ok(call_, value));
    } catch (...) {
      return fail(current_error());
    }
    if (!open()) return;  // its client is gone: lose() will notify the method
    if (to_undo_) host_->answered(*this, std::exchange(on_lost_, nullptr));
    close();
    on_lost_ = nullptr;  // it may hold the Reply that holds this channel
  }
  void fail(const core::Error& error);
  /// Replies with the source's items from now on, as the client grants credit for them.
  void stream(std::shared_ptr<ItemSource> items);
  /// The stream's source has items again after it had none: sends as many as there is credit for.
  void resume();
  /// Calls `lost` once if the reply is no longer wanted: the client vanished or cancelled, the deadline
  /// passed, or a stream item could not be sent. Never inside a call that sends; at once when that has
  /// happened already.
  void on_lost(std::function<void()> lost);

  /// Calls `undo` once if the OK that follows does not reach the client. Replaces on_lost(), and has no
  /// effect once that was called.
  void on_undelivered(std::function<void()> undo);

  /// Counts the guards that may still reply to the call. When the last is gone without a reply, the call
  /// fails with Abandoned. See AbandonGuard.
  void promise() { ++promises_; }
  void break_promise() {
    if (--promises_ == 0 && open()) abandon();
  }

  /// Drops the on_lost() callback: the method has finished.
  void clear_on_lost();

  /// Ends the channel and notifies the method; sends nothing to the client.
  void lose();
  /// Ends the channel with an ERR and notifies the method that its reply is no longer wanted.
  void give_up(const core::Error& error);
  /// Ends the channel and notifies the method; sends nothing and no longer uses the server, which is being
  /// destroyed.
  void detach();

 private:
  void wake();
  void rearm();
  void beat();
  void pump();
  bool send_item();
  void settle(Delivery delivery);
  void end_by_error();
  void give_up_unheard();
  void abandon();
  void close();
  void tell_lost();

  ChannelHost* host_;
  std::size_t promises_ = 0;
  bool kept_ = false;
  // Copied by keep(). Nothing else of the request is kept: headers may be long, and channels many.
  wire::Envelope peer_;
  std::string id_;
  std::string trace_;
  std::string method_;
  CallInfo call_;
  net::Timer timer_;
  Heartbeat heartbeat_;
  Conversation conversation_;
  core::TimePoint resume_at_ = core::TimePoint::max();  // when a stream paused for others continues
  std::shared_ptr<ItemSource> items_;
  std::function<void()> on_lost_;
  bool to_undo_ = false;  // on_lost_ is also for a reply that was sent and not delivered
  bool lost_ = false;
  bool marked_lost_ = false;
  bool failed_ = false;  // an ERR was sent in place of an item; the client has not vanished
};

}  // namespace zerosuite::rpc
