// The server's side of one call whose method may answer later: heartbeats, credit, deadline, stream, and the
// way to cancel.
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

/// What a channel needs of its server.
class ChannelHost {
 public:
  virtual net::Timers& timers() = 0;
  virtual EventWriter& writer() = 0;
  virtual const ChannelOptions& channel_options() const = 0;
  /// A channel that was kept has ended: forget it. It stays alive until the caller lets go of it.
  virtual void closed(Channel& channel) = 0;
  /// What was sent on the channel reaches nobody: every channel of its peer is lost, this one first. Calls no
  /// method inside this call.
  virtual void peer_gone(Channel& channel) = 0;
  /// The channel has ended in the middle of a call of its method, which is to be told after it.
  virtual void lose_later(Channel& channel) = 0;
  /// The channel's answer was sent: `undo` is for the case that it turns out to have reached nobody.
  virtual void answered(const Channel& channel, std::function<void()> undo) = 0;
  /// A client was given up without an answer.
  virtual void count_lost() = 0;

 protected:
  ~ChannelHost() = default;
};

/// Belongs to the loop's thread. Held by the Reply that will answer, and from keep() on, while open, by the
/// server's table. Most are answered before their method returns, and cost little more than the answer.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  /// What `call` refers to must stay until keep().
  Channel(ChannelHost& host, const CallInfo& call, std::optional<std::int64_t> timeout_ms);

  /// The method has returned and not answered: copies what is needed of the request, and starts to beat and
  /// to watch the deadline.
  void keep();

  /// Empty once the call has been answered by its method before that returned.
  const CallInfo& call() const { return call_; }
  /// Whether anything can still be sent.
  bool open() const { return host_ != nullptr && !marked_lost_; }
  /// Of what the client sent. The rest of a channel is of one size.
  std::size_t kept_bytes() const {
    return peer_.bytes().size() + id_.size() + trace_.size() + method_.size();
  }

  // From the client.
  void heard_heartbeat(std::string_view args);
  void granted(std::string_view args);
  void cancelled() { lose(); }

  /// Nobody is there any more: from now on nothing is sent. lose() is still to be called.
  void mark_lost();
  /// Whether its method was told that nobody waits for the answer.
  bool told_lost() const { return lost_; }
  bool marked_lost() const { return marked_lost_ && host_ != nullptr; }

  // From the method. Each is ignored once the channel is closed.
  /// OK; it waits for no grant, since the server's first credit is for it.
  template <class T>
  void ok(const T& value) {
    if (marked_lost()) return host_->peer_gone(*this);
    if (!open()) return;
    try {
      settle(host_->writer().ok(call_, value));
    } catch (...) {
      return fail(current_error());
    }
    if (!open()) return;  // its client is gone: lose() will tell the method
    if (on_undelivered_) host_->answered(*this, std::exchange(on_undelivered_, nullptr));
    close();
    on_lost_ = nullptr;  // it may hold the Reply that holds this channel
  }
  void fail(const core::Error& error);
  /// Answers with the source's items from now on, as the client grants credit for them.
  void stream(std::shared_ptr<ItemSource> items);
  /// The stream's source has something after it had nothing: sends what there is credit for.
  void resume();
  /// Calls `lost` once if nobody waits for the answer any more: the client vanished, cancelled, or let its
  /// deadline pass, or one of its items could not be sent. Never inside a call that sends; at once when it
  /// was called for before.
  void on_lost(std::function<void()> lost);

  /// Calls `undo` once if the OK that follows was sent and is found to have reached nobody: its client gave
  /// the call up while it was on its way, or a proxy found the client gone. See Recalls for how long that may
  /// take.
  void on_undelivered(std::function<void()> undo);

  /// Counts who may still answer the call. When the last has gone without answering, it fails with Abandoned.
  /// See AbandonGuard.
  void promise() { ++promises_; }
  void break_promise() {
    if (--promises_ == 0 && open()) abandon();
  }

  /// Tells the method nothing more: it has said its last word.
  void clear_on_lost();

  /// Ends it without a word to the client, telling the method.
  void lose();
  /// Ends it with an ERR, telling the method that its answer is not wanted any more.
  void give_up(const core::Error& error);
  /// Ends it without a word to the client: the server is being destroyed.
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
  // Copied by keep(). Nothing else of the request is: its header may be long, and there may be many.
  wire::Envelope peer_;
  std::string id_;
  std::string trace_;
  std::string method_;
  CallInfo call_;
  net::Timer timer_;
  Heartbeat heartbeat_;
  Conversation conversation_;
  core::TimePoint resume_at_ = core::TimePoint::max();  // when a stream that stopped to let others in goes on
  std::shared_ptr<ItemSource> items_;
  std::function<void()> on_lost_;
  std::function<void()> on_undelivered_;
  bool lost_ = false;
  bool marked_lost_ = false;
  bool failed_ = false;  // an ERR was sent in the place of an item: nobody has vanished
};

}  // namespace zerosuite::rpc
