// The table of open conversations: which worker has which call.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/keyed_hash.hpp"
#include "proxy/route.hpp"
#include "wire/event.hpp"

namespace zerosuite::proxy {

/// Under contention, one client gets at most this fraction (1/kSharers) of a shared resource.
inline constexpr std::size_t kSharers = 4;

/// A connection on the front with at least one call open.
struct Client {
  std::string identity;
  IntrusiveList<Route, &Route::of_client> channels;
  std::size_t stalled_bytes = 0;  ///< Kept for workers that do not read, since a worker last took a message.
  std::size_t kept_bytes = 0;     ///< Of its idempotent calls, kept for a retry.
  std::size_t waiting = 0;        ///< Its calls that wait for a worker, of all services,
  std::size_t waiting_bytes = 0;  ///< and their size.
};

/// Loop thread only. A channel is identified by the client's whole envelope and the id: forked Python
/// processes generate the same ids, and a client must not reach another's channel.
class RouteTable {
 public:
  /// The key of a channel, hashed once for all lookups. Views the envelope and the id.
  struct Name {
    Name(const wire::Envelope& its_client, std::string_view its_id);
    /// The key of a channel, whose hash is reused.
    explicit Name(const Route& route) : client(route.client), id(route.id()), hash(route.hash) {}
    bool names(const Route& route) const;

    const wire::Envelope& client;
    std::string_view id;  ///< Encoded.
    std::size_t hash;
  };

  /// Adds a channel with its client, id and Name::hash set, which must not be in the table yet. `client` is
  /// the result of client() for its connection.
  Route& open(std::unique_ptr<Route> route, Client* client);
  /// Null if there is none.
  Route* find(const Name& name) const;
  /// Removes the channel. May be called from its own timer.
  void close(Route& route);

  /// Null if that connection has no call open.
  Client* client(std::string_view identity) const;
  std::size_t size() const { return table_.size(); }
  /// Any open channel; null if there is none.
  Route* any() const { return table_.empty() ? nullptr : table_.begin()->get(); }

  template <class F>
  void for_each(F&& each) const {
    for (const auto& route : table_) each(*route);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Name& name) const { return name.hash; }
    std::size_t operator()(const std::unique_ptr<Route>& route) const { return route->hash; }
  };
  struct Same {
    using is_transparent = void;
    bool operator()(const Name& name, const std::unique_ptr<Route>& route) const {
      return name.names(*route);
    }
    bool operator()(const std::unique_ptr<Route>& left, const std::unique_ptr<Route>& right) const {
      return Name(*left).names(*right);
    }
  };

  std::unordered_set<std::unique_ptr<Route>, Hash, Same> table_;  // the key is in the element
  std::unordered_map<std::string_view, std::unique_ptr<Client>, core::KeyedHash> clients_;
  Client* latest_ = nullptr;  // cache: the client that opened the last call often opens the next
};

}  // namespace zerosuite::proxy
