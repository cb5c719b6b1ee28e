// The table of open conversations: the proxy's memory of which worker has which call.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/channel.hpp"
#include "wire/event.hpp"

namespace zerosuite::proxy {

/// A connection on the front with at least one call open.
struct Client {
  std::string identity;
  Chain<Channel, &Channel::of_client> channels;
};

/// Belongs to the loop's thread. A channel is named by the client's whole envelope and the id: forked Python
/// processes make the same ids, and nobody may speak on another's channel.
class Channels {
 public:
  /// Takes the channel in, under its client and id; those must not be in the table yet.
  Channel& open(std::unique_ptr<Channel> channel);
  /// Null when there is none.
  Channel* find(const wire::Envelope& client, std::string_view id) const;
  /// Forgets it. It may be called from the channel's own timer.
  void close(Channel& channel);

  /// Null when that connection has no call open.
  Client* client(std::string_view identity) const;
  std::size_t size() const { return table_.size(); }
  /// Some open channel; null when there is none.
  Channel* any() const { return table_.empty() ? nullptr : table_.begin()->second.get(); }

  template <class F>
  void for_each(F&& each) const {
    for (const auto& [key, channel] : table_) each(*channel);
  }

 private:
  struct Key {
    std::string_view envelope;
    wire::IdKey id;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      const std::hash<std::string_view> hash;
      return (hash(key.id.text) + static_cast<std::uint64_t>(key.id.number)) ^ (hash(key.envelope) << 1U);
    }
  };

  std::unordered_map<Key, std::unique_ptr<Channel>, KeyHash> table_;  // the key lives in its channel
  std::unordered_map<std::string_view, std::unique_ptr<Client>> clients_;
};

}  // namespace zerosuite::proxy
