// The open calls of a server, by client, and for each client by return path and id.
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

/// Belongs to the loop's thread. Forked Python processes generate the same ids, so an id identifies a call
/// only together with its whole return path; ids are compared as wire::IdKey does.
class ChannelTable {
 public:
  using Pointers = std::vector<std::shared_ptr<Channel>>;

  explicit ChannelTable(const core::Quota& quota) : quota_(quota) {}

  /// Null when there is none.
  std::shared_ptr<Channel> find(const wire::Envelope& peer, std::string_view id) const;
  enum class Room : std::uint8_t { kShared, kKeptBack };
  /// Throws core::Failure(Overloaded) naming the limit when that client may not open one more call; with
  /// kKeptBack, the reserved room may be used too.
  void check_room(const CallInfo& call, Room room) const;
  /// No call with the same return path and id may be in the table.
  void add(std::shared_ptr<Channel> channel);
  /// Returns whether it was there.
  bool remove(const Channel& channel);

  std::size_t size() const { return size_; }
  /// The channels of one client, named as by Envelope::client().
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
