// The answer to one call, given later.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/result.hpp"
#include "rpc/server/channel.hpp"

namespace zerosuite::rpc {

/// A share in the duty to answer a call. When the last one goes and nobody has answered, the call gets ERR
/// Abandoned, so that no client waits on our bug.
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

/// A copyable handle on one unanswered call. The first answer counts; later ones are ignored, and so is any
/// answer after the client was lost. May outlive the server. Belongs to the loop's thread.
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
  /// Makes a core::Done that replies with view(value), or with the error. What `view` throws reaches whoever
  /// calls it.
  template <class F>
  auto with(F view) const {
    return [reply = *this, view = std::move(view)]<class U>(core::Result<U> result) {
      result ? reply(view(*std::move(result))) : reply(result.error());
    };
  }

  /// Calls `lost` once if nobody waits for the answer any more: the client vanished, cancelled, or let its
  /// deadline pass. Never inside a call that answers; at once when it was called for before. A second call
  /// replaces the first. It must not throw.
  void on_lost(std::function<void()> lost) const { promise_.channel().on_lost(std::move(lost)); }
  /// For an answer that must not stay with somebody who never heard of it: to be said before it is given.
  /// When the sending itself finds nobody, that is on_lost()'s. Calls `undo` once, within Recalls::kKeptFor,
  /// if the answer was sent but reached nobody: the client gave the call up meanwhile, or was gone when a
  /// proxy wanted to pass it on. It must not throw.
  void on_undelivered(std::function<void()> undo) const {
    promise_.channel().on_undelivered(std::move(undo));
  }
  /// Whether somebody still waits for the answer.
  bool wanted() const { return promise_.channel().open(); }
  /// Whether on_lost() was called for.
  bool lost() const { return promise_.channel().told_lost(); }
  /// Empty once the method itself has answered; see Channel::call().
  const CallInfo& call() const { return promise_.channel().call(); }

 private:
  AbandonGuard promise_;
};

}  // namespace zerosuite::rpc
