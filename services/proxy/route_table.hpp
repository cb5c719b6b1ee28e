// The table of open conversations: the proxy's memory of which worker has which call.
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

/// Of what clients share, one has a quarter when others want it.
inline constexpr std::size_t kSharers = 4;

/// A connection on the front with at least one call open.
struct Client {
  std::string identity;
  IntrusiveList<Route, &Route::of_client> channels;
  std::size_t stalled_bytes = 0;  ///< Of it kept for workers that do not read, since one last did.
  std::size_t kept_bytes = 0;     ///< Of its idempotent calls, kept to ask another worker.
  std::size_t waiting = 0;        ///< Its calls that wait for a worker, of all services,
  std::size_t waiting_bytes = 0;  ///< and their size.
};

/// Belongs to the loop's thread. A channel is named by the client's whole envelope and the id: forked Python
/// processes make the same ids, and nobody may speak on another's channel.
class RouteTable {
 public:
  /// What a channel is found by, hashed once for all that is done with it. Views of both parts.
  struct Name {
    Name(const wire::Envelope& its_client, std::string_view its_id);
    /// Of a channel that has its hash.
    explicit Name(const Route& route) : client(route.client), id(route.id()), hash(route.hash) {}
    bool names(const Route& route) const;

    const wire::Envelope& client;
    std::string_view id;  ///< Encoded.
    std::size_t hash;
  };

  /// Takes the channel in, under its client, id and Name::hash; those must not be in the table yet. `client`
  /// is what client() answers for its connection.
  Route& open(std::unique_ptr<Route> route, Client* client);
  /// Null when there is none.
  Route* find(const Name& name) const;
  /// Forgets it. It may be called from the channel's own timer.
  void close(Route& route);

  /// Null when that connection has no call open.
  Client* client(std::string_view identity) const;
  std::size_t size() const { return table_.size(); }
  /// Some open channel; null when there is none.
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

  std::unordered_set<std::unique_ptr<Route>, Hash, Same> table_;  // the name is in the channel
  std::unordered_map<std::string_view, std::unique_ptr<Client>, core::KeyedHash> clients_;
  Client* latest_ = nullptr;  // the client that opened a call last: the next call is often its own
};

}  // namespace zerosuite::proxy
