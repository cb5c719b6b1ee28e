// The answer to one call, given later.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "rpc/channel.hpp"

namespace zerosuite::rpc {

/// Answers ERR Abandoned when the last copy of a Reply goes without having answered, so no client waits on
/// our bug.
class Promise {
 public:
  explicit Promise(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}
  ~Promise() { channel_->fail({core::kAbandoned, "the service dropped the call without answering it"}); }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  Channel& channel() const { return *channel_; }

 private:
  std::shared_ptr<Channel> channel_;
};

/// A copyable handle on one unanswered call. The first answer counts; later ones are ignored, and so is any
/// answer after the client was lost. May outlive the server. Belongs to the loop's thread.
template <class T>
class Reply {
 public:
  explicit Reply(std::shared_ptr<Channel> channel)
      : promise_(std::make_shared<Promise>(std::move(channel))) {}

  void operator()(const T& value) const { promise_->channel().ok(value); }
  void operator()(const core::Error& error) const { promise_->channel().fail(error); }

  /// Calls `lost` once if nobody waits for the answer any more: the client vanished, cancelled, or let its
  /// deadline pass. At once when that has happened already. A second call replaces the first.
  /// It must not throw.
  void on_lost(std::function<void()> lost) const { promise_->channel().on_lost(std::move(lost)); }
  /// For an answer that must not stay with somebody who never heard of it: to be said before it is given.
  /// Calls `undo` once, within Recalls::kKeptFor, if the answer was sent but reached nobody: the client gave
  /// the call up meanwhile, or was gone when a proxy wanted to pass it on. When the sending itself finds
  /// nobody, that is on_lost()'s. It must not throw.
  void on_undelivered(std::function<void()> undo) const {
    promise_->channel().on_undelivered(std::move(undo));
  }
  /// Whether somebody still waits for the answer.
  bool wanted() const { return promise_->channel().open(); }
  const CallInfo& call() const { return promise_->channel().call(); }

 private:
  std::shared_ptr<Promise> promise_;
};

}  // namespace zerosuite::rpc
