#include "proxy/route_table.hpp"

#include <algorithm>
#include <array>

namespace zerosuite::proxy {

RouteTable::Name::Name(const wire::Envelope& its_client, std::string_view its_id)
    : client(its_client), id(its_id) {
  constexpr std::size_t kUsual = 128;  // hashing both at once costs half
  const core::KeyedHash keyed;
  const wire::IdKey key = wire::id_key(id);
  const std::string_view path = client.bytes();
  if (key.text.empty()) {
    hash = keyed(static_cast<std::uint64_t>(key.number)) + 3 * keyed(path);
  } else if (key.text.size() + path.size() > kUsual) {
    hash = keyed(key.text) + 3 * keyed(path);
  } else {
    std::array<char, kUsual> both;
    char* const end =
        std::copy(path.begin(), path.end(), std::copy(key.text.begin(), key.text.end(), both.begin()));
    hash = keyed(std::string_view(both.data(), static_cast<std::size_t>(end - both.data())));
  }
}

bool RouteTable::Name::names(const Route& route) const {
  return (id == route.id() || wire::id_key(id) == wire::id_key(route.id())) && client == route.client;
}

Route& RouteTable::open(std::unique_ptr<Route> route, Client* client) {
  Route& opened = *route;
  if (client == nullptr) {
    auto first = std::make_unique<Client>();
    first->identity = opened.client.outermost();
    const std::string_view identity = first->identity;
    client = clients_.emplace(identity, std::move(first)).first->second.get();
  }
  opened.connection = latest_ = client;
  client->channels.append(opened);
  table_.insert(std::move(route));
  return opened;
}

Route* RouteTable::find(const Name& name) const {
  const auto found = table_.find(name);
  return found == table_.end() ? nullptr : found->get();
}

void RouteTable::close(Route& route) {
  Client& client = *route.connection;
  client.channels.remove(route);
  if (client.channels.empty()) {
    if (latest_ == &client) latest_ = nullptr;
    clients_.erase(clients_.find(client.identity));
  }
  table_.erase(table_.find(Name(route)));
}

Client* RouteTable::client(std::string_view identity) const {
  if (latest_ != nullptr && latest_->identity == identity) return latest_;
  const auto found = clients_.find(identity);
  return found == clients_.end() ? nullptr : found->second.get();
}

}  // namespace zerosuite::proxy
