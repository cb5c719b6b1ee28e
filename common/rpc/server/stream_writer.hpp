// A stream whose items arise over time: the method keeps a handle and pushes them.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "rpc/server/channel.hpp"

namespace zerosuite::rpc {

/// The items pushed but not yet sent, in order.
template <class T>
class StreamWriterItems final : public ItemSource {
 public:
  explicit StreamWriterItems(std::size_t most) : most_(most) {}

  bool full() const { return waiting_.size() >= most_; }
  bool ended() const { return ended_; }
  void add(T item) { waiting_.push_back(std::move(item)); }
  /// Ends the stream after the waiting items, with the error if there is one. The first end counts.
  void end(std::optional<core::Error> error) {
    ended_ = true;
    error_ = std::move(error);
  }

  Advance advance() override {
    if (!waiting_.empty()) {
      item_ = std::move(waiting_.front());
      waiting_.pop_front();
      return Advance::kItem;
    }
    if (error_) throw core::Failure(*error_);
    return ended_ ? Advance::kEnd : Advance::kNothingYet;
  }
  void pack(wire::Packer& out) const override { wire::pack(out, *item_); }

 private:
  const std::size_t most_;
  std::deque<T> waiting_;
  std::optional<T> item_;
  std::optional<core::Error> error_;
  bool ended_ = false;
};

/// A copyable handle on one open stream; see Stream for items that can be made on demand. Items the client
/// has granted no credit for wait here, up to ChannelOptions::max_pending_items. The stream ends when the
/// last copy is destroyed, if not before. May outlive the server. Loop thread only.
///
/// The call's deadline, like a stock client's timeout, is for the first item: a method that may have no news
/// for long should push the current state at once.
template <class T>
class StreamWriter {
 public:
  explicit StreamWriter(std::shared_ptr<Channel> channel)
      : source_(std::make_shared<Source>(std::move(channel))) {}

  /// Sends the item, or keeps it until the client grants credit. Returns false when the client is no longer
  /// listening, or when the maximum number of items is waiting and this one was dropped: wanted()
  /// distinguishes the two.
  bool push(T item) const { return source_->push(std::move(item)); }
  /// Ends the stream after the waiting items. The first end counts; nothing can be pushed after it.
  void end() const { source_->finish({}); }
  /// Ends the stream with that error after the waiting items.
  void fail(core::Error error) const { source_->finish(std::move(error)); }

  /// Calls `lost` once if the stream is lost before end() or fail(): the client vanished or cancelled, the
  /// deadline passed without an item, the server gave the client up, or an item could not be sent. At once
  /// when that has happened already. A second on_lost() replaces the first. `lost` must not throw.
  void on_lost(std::function<void()> lost) const {
    if (!source_->items->ended()) source_->channel->on_lost(std::move(lost));
  }
  /// Whether the client still listens.
  bool wanted() const { return source_->open(); }
  const CallInfo& call() const { return source_->channel->call(); }

 private:
  // Ends the stream when the last copy is destroyed, so that no client waits for ever.
  struct Source {
    explicit Source(std::shared_ptr<Channel> its_channel)
        : channel(std::move(its_channel)),
          items(std::make_shared<StreamWriterItems<T>>(channel->max_pending_items())) {
      channel->stream(items);
    }
    ~Source() { finish({}); }
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;

    bool open() const { return channel->open() && !items->ended(); }
    bool push(T item) {
      if (!open() || items->full()) return false;
      items->add(std::move(item));
      channel->resume();
      return channel->open();
    }
    void finish(std::optional<core::Error> error) {
      if (!open()) return;
      items->end(std::move(error));
      channel->clear_on_lost();
      channel->resume();
    }

    std::shared_ptr<Channel> channel;
    std::shared_ptr<StreamWriterItems<T>> items;
  };

  std::shared_ptr<Source> source_;
};

}  // namespace zerosuite::rpc
