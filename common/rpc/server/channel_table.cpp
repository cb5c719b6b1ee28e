#include "rpc/server/channel_table.hpp"

#include <utility>

namespace zerosuite::rpc {
namespace {

// A call that keeps much, such as a long id, counts as several, since the purpose of the limit is memory.
std::size_t places_of(const Channel& channel) {
  constexpr std::size_t kPlace = 1024;
  return 1 + channel.kept_bytes() / kPlace;
}

}  // namespace

std::shared_ptr<Channel> ChannelTable::find(const wire::Envelope& peer, std::string_view id) const {
  if (clients_.empty()) return nullptr;
  const auto client = clients_.find(peer.client());
  if (client == clients_.end()) return nullptr;
  const auto channel = client->second.channels.find(Name(peer, id));
  return channel == client->second.channels.end() ? nullptr : *channel;
}

void ChannelTable::check_room(const CallInfo& call, Room room) const {
  if (clients_.empty()) return;  // nothing is open: the usual case
  const auto client = clients_.find(call.client());
  const std::size_t own = client == clients_.end() ? 0 : client->second.places;
  if (room == Room::kKeptBack ? quota_.admits_relief(own, places_) : quota_.admits(own, places_)) return;
  if (own >= quota_.per_client) {
    throw core::Failure(core::kOverloaded,
                        "too many calls of this client are open; max_channels_per_peer is " +
                            std::to_string(quota_.per_client));
  }
  throw core::Failure(core::kOverloaded,
                      "too many calls are open, and this client has its share of them; "
                      "max_channels is " +
                          std::to_string(quota_.total));
}

void ChannelTable::add(std::shared_ptr<Channel> channel) {
  Client& client = clients_[channel->call().client()];
  const std::size_t places = places_of(*channel);
  client.places += places;
  client.channels.insert(std::move(channel));
  places_ += places;
  ++size_;
}

bool ChannelTable::remove(const Channel& channel) {
  const auto client = clients_.find(channel.call().client());
  if (client == clients_.end()) return false;
  Channels& channels = client->second.channels;
  const auto found = channels.find(Name(*channel.call().peer, channel.call().id));
  if (found == channels.end() || found->get() != &channel) return false;
  const std::size_t places = places_of(channel);
  client->second.places -= places;
  channels.erase(found);
  if (channels.empty()) clients_.erase(client);
  places_ -= places;
  --size_;
  return true;
}

ChannelTable::Pointers ChannelTable::of_client(std::string_view client) const {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return {};
  return {found->second.channels.begin(), found->second.channels.end()};
}

ChannelTable::Pointers ChannelTable::of_link(wire::Link link) const {
  Pointers channels;
  for (const auto& [name, client] : clients_) {
    if (name.front() == static_cast<char>(link))
      channels.insert(channels.end(), client.channels.begin(), client.channels.end());
  }
  return channels;
}

ChannelTable::Pointers ChannelTable::all() const {
  Pointers channels;
  for (const auto& [name, client] : clients_)
    channels.insert(channels.end(), client.channels.begin(), client.channels.end());
  return channels;
}

}  // namespace zerosuite::rpc
