// Methods that reply with many values, pulled one by one as the client grants credit for them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "wire/codec.hpp"

namespace zerosuite::rpc {

/// What a streaming method returns: a function that returns the next item, or nullopt at the end. It is
/// called on the loop's thread, never ahead of the client's credit, and destroyed when the stream ends or its
/// client is gone. An exception becomes an ERR in place of the next item.
template <class T>
class Stream {
 public:
  using Item = T;

  explicit Stream(std::function<std::optional<T>()> next) : next_(std::move(next)) {}
  std::optional<T> next() { return next_(); }

 private:
  std::function<std::optional<T>()> next_;
};

/// The result of asking a source for its next item.
enum class Advance : std::uint8_t {
  kItem,
  kNothingYet,  ///< Its owner calls Channel::resume() when there is more.
  kEnd,
};

/// A stream with its item type erased.
class ItemSource {
 public:
  virtual ~ItemSource() = default;
  /// Makes the next item, if there is one. An exception becomes an ERR in place of the item.
  virtual Advance advance() = 0;
  /// Packs the item made by advance().
  virtual void pack(wire::Packer& out) const = 0;
};

template <class T>
class StreamItems final : public ItemSource {
 public:
  explicit StreamItems(Stream<T> stream) : stream_(std::move(stream)) {}
  Advance advance() override {
    item_ = stream_.next();
    return item_ ? Advance::kItem : Advance::kEnd;
  }
  void pack(wire::Packer& out) const override { wire::pack(out, *item_); }

 private:
  Stream<T> stream_;
  std::optional<T> item_;
};

}  // namespace zerosuite::rpc
