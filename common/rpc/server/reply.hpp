// The reply to one call, sent later.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/result.hpp"
#include "rpc/server/channel.hpp"

namespace zerosuite::rpc {

/// A share in the duty to reply to a call. When the last one is destroyed without a reply, the call gets ERR
/// Abandoned, so that a bug in a method leaves no client waiting.
class AbandonGuard {
 public:
  explicit AbandonGuard(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {
    if (channel_) channel_->promise();
  }
  AbandonGuard(const AbandonGuard& other) : AbandonGuard(other.channel_) {}
  AbandonGuard(AbandonGuard&& other) noexcept = default;
  AbandonGuard& operator=(AbandonGuard other) noexcept {
    std::swap(channel_, other.channel_);
    return *this;
  }
  ~AbandonGuard() {
    if (channel_) channel_->break_promise();
  }

  Channel& channel() const { return *channel_; }

 private:
  std::shared_ptr<Channel> channel_;  // null once moved from
};

/// A copyable handle on one open call. The first reply counts; later ones are ignored, and so is any reply
/// after the client was lost. May outlive the server. Loop thread only.
template <class T>
class Reply {
 public:
  explicit Reply(std::shared_ptr<Channel> channel) : promise_(std::move(channel)) {}

  void operator()(const T& value) const { promise_.channel().ok(value); }
  void operator()(const core::Error& error) const { promise_.channel().fail(error); }
  /// Replies with the value or the error, so that a Reply is itself a core::Done.
  template <class U>
  void operator()(const core::Result<U>& result) const {
    result ? (*this)(*result) : (*this)(result.error());
  }
  /// Makes a core::Done that replies with view(value), or with the error. What `view` throws reaches the
  /// caller of the Done.
  template <class F>
  auto with(F view) const {
    return [reply = *this, view = std::move(view)]<class U>(core::Result<U> result) {
      result ? reply(view(*std::move(result))) : reply(result.error());
    };
  }

  /// Calls `lost` once if the reply is no longer wanted: the client vanished or cancelled, or the deadline
  /// passed. Never inside a call that replies; at once when that has happened already. A second on_lost()
  /// replaces the first. `lost` must not throw.
  void on_lost(std::function<void()> lost) const { promise_.channel().on_lost(std::move(lost)); }
  /// For a reply whose effect must be undone if the client never receives it; to be called just before the
  /// reply. Calls `undo` once, never inside the call that replies: when the reply cannot be sent, or within
  /// Recalls::kKeptFor when it was sent but not delivered, because the client had cancelled meanwhile or was
  /// gone when a proxy tried to pass it on. Replaces on_lost(), and has no effect when lost(). `undo` must
  /// not throw.
  void on_undelivered(std::function<void()> undo) const {
    promise_.channel().on_undelivered(std::move(undo));
  }
  /// Whether the reply is still wanted.
  bool wanted() const { return promise_.channel().open(); }
  /// Whether the loss has been notified; see on_lost().
  bool lost() const { return promise_.channel().told_lost(); }
  /// Empty once the method has replied before returning; see Channel::call().
  const CallInfo& call() const { return promise_.channel().call(); }

 private:
  AbandonGuard promise_;
};

}  // namespace zerosuite::rpc
