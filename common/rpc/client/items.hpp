// The values of a streaming method, taken one by one, with back-pressure all the way to the server.
#pragma once

#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "rpc/client/connection.hpp"
#include "rpc/client/value_handler.hpp"

namespace zerosuite::rpc {

/// An input range over the items of one call. The server may send `slots` items ahead of the program and then
/// waits for as long as the program takes. Destroying the range before its end cancels the call.
///
/// For one thread at a time. May outlive its Client, whose destruction ends it with Cancelled. An error of
/// the remote is thrown after the items that came before it.
template <class T>
class Items {
 public:
  Items(std::shared_ptr<Connection> connection, PreparedCall prepared)
      : connection_(std::move(connection)), state_(std::make_shared<State>()) {
    connection_->leader().post(
        [connection = connection_.get(), state = state_, prepared = std::move(prepared)]() mutable {
          auto listener = std::make_unique<ItemHandler>(state, *connection);
          const Caller::CallId id = connection->start(std::move(prepared), std::move(listener));
          state->id = id;
        });
  }
  Items(Items&&) noexcept = default;
  Items& operator=(Items&&) = delete;
  ~Items() {
    if (!state_) return;
    connection_->leader().post([connection = connection_.get(), state = state_] {
      if (!state->ended) connection->caller().cancel(state->id);
    });
  }

  /// Waits for the next item; nullopt at the end. Throws a CallError when the call failed.
  std::optional<T> next() {
    if (position_ == batch_.size() && !fetch()) return std::nullopt;
    return std::move(batch_[position_++]);
  }

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Items& items) : items_(&items), item_(items.next()) {}
    T& operator*() { return *item_; }
    Iterator& operator++() {
      item_ = items_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !item_; }

   private:
    Items* items_;
    std::optional<T> item_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  struct Fetch {
    std::vector<T>& batch;
    net::LeaderFollower::Waiter& waiter;
  };
  // Touched on the driving thread only.
  struct State {
    Caller::CallId id = 0;
    std::vector<T> ready;
    bool ended = false;
    std::exception_ptr error;
    Fetch* fetch = nullptr;
    // Items the server may still send, or that the program has not taken; the first needs no grant.
    std::uint32_t reserved = 1;

    void hand_over(net::LeaderFollower& leader) {
      if (fetch == nullptr || (ready.empty() && !ended)) return;
      std::swap(fetch->batch, ready);
      leader.finish(std::exchange(fetch, nullptr)->waiter);
    }
  };

  class ItemHandler final : public ResponseHandler {
   public:
    ItemHandler(std::shared_ptr<State> state, Connection& connection)
        : state_(std::move(state)), connection_(connection) {}

    void value(wire::Reader& /*in*/) override {
      failed(protocol_error("the method answered with a value, not with a stream"));
    }
    bool item(wire::Reader& in) override {
      if (state_->ready.size() >= state_->reserved) return false;  // the server sends more than was granted
      try {
        state_->ready.push_back(wire::read<T>(in));
      } catch (...) {
        return false;
      }
      state_->hand_over(connection_.leader());
      return true;
    }
    void done() override { failed(nullptr); }
    void failed(std::exception_ptr error) override {
      state_->ended = true;
      state_->error = std::move(error);
      state_->hand_over(connection_.leader());
    }

   private:
    std::shared_ptr<State> state_;
    Connection& connection_;
  };

  // Waits for a batch; false at the end.
  bool fetch() {
    const auto consumed = static_cast<std::uint32_t>(batch_.size());
    batch_.clear();
    position_ = 0;
    if (finished_) return false;
    net::LeaderFollower::Waiter waiter;
    Fetch fetch{batch_, waiter};
    connection_->leader().run([&] { begin_fetch(fetch, consumed); }, waiter);
    if (!batch_.empty()) return true;
    finished_ = true;
    if (state_->error)
      std::rethrow_exception(state_->error);  // not written again once the waiter is finished
    return false;
  }

  // Grants as zerorpc-python does: nothing before the first item was taken, then up to the window whenever
  // half of it has been used. This works with servers that add grants and with servers that replace them.
  void begin_fetch(Fetch& fetch, std::uint32_t consumed) {
    State& state = *state_;
    state.reserved -= consumed;
    const std::uint32_t slots = connection_->slots();
    if (consumed > 0 && !state.ended && state.reserved < slots / 2) {
      connection_->caller().grant(state.id, slots - state.reserved);
      state.reserved = slots;
    }
    state.fetch = &fetch;
    state.hand_over(connection_->leader());
  }

  std::shared_ptr<Connection> connection_;
  std::shared_ptr<State> state_;
  std::vector<T> batch_;
  std::size_t position_ = 0;
  bool finished_ = false;
};

}  // namespace zerosuite::rpc
