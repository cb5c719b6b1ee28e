// The open calls of a server: by client, and each by its way back and id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/keyed_hash.hpp"
#include "core/quota.hpp"
#include "rpc/server/channel.hpp"

namespace zerosuite::rpc {

/// Belongs to the loop's thread. Forked Python processes make the same ids, so an id names a call only
/// together with the whole way back; ids are compared as wire::IdKey does.
class ChannelTable {
 public:
  using Pointers = std::vector<std::shared_ptr<Channel>>;

  explicit ChannelTable(const core::Quota& quota) : quota_(quota) {}

  /// Null when there is none.
  std::shared_ptr<Channel> find(const wire::Envelope& peer, std::string_view id) const;
  enum class Room : std::uint8_t { kShared, kKeptBack };
  /// Throws core::Failure(Overloaded) that names the limit when that client may not open one more call, be it
  /// with the room that is kept back.
  void check_room(const CallInfo& call, Room room) const;
  /// No call of its name may be in the table.
  void add(std::shared_ptr<Channel> channel);
  /// Whether it was there.
  bool remove(const Channel& channel);

  std::size_t size() const { return size_; }
  /// Of one client, as Envelope::client() names it.
  Pointers of_client(std::string_view client) const;
  Pointers of_link(wire::Link link) const;
  Pointers all() const;

 private:
  struct Name {
    Name(const wire::Envelope& its_peer, std::string_view its_id)
        : peer(its_peer), id(wire::id_key(its_id)) {}
    Name(const std::shared_ptr<Channel>& channel) : Name(*channel->call().peer, channel->call().id) {}

    const wire::Envelope& peer;
    wire::IdKey id;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Name& name) const {
      const std::size_t of_id = std::hash<wire::IdKey>()(name.id);
      return name.peer.direct() ? of_id : of_id + std::hash<wire::Envelope>()(name.peer);
    }
  };
  struct Same {
    using is_transparent = void;
    bool operator()(const Name& left, const Name& right) const {
      return left.id == right.id && left.peer == right.peer;
    }
  };
  using Channels = std::unordered_set<std::shared_ptr<Channel>, Hash, Same>;  // the name is in the channel
  struct Client {
    Channels channels;
    std::size_t places = 0;  // of the quota
  };

  core::Quota quota_;
  std::unordered_map<std::string, Client, core::KeyedHash, std::equal_to<>> clients_;
  std::size_t size_ = 0;
  std::size_t places_ = 0;
};

}  // namespace zerosuite::rpc
