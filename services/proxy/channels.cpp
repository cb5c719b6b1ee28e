#include "proxy/channels.hpp"

namespace zerosuite::proxy {

Channel& Channels::open(std::unique_ptr<Channel> channel) {
  Channel& opened = *channel;
  auto found = clients_.find(opened.client.outermost());
  if (found == clients_.end()) {
    auto client = std::make_unique<Client>();
    client->identity = opened.client.outermost();
    const std::string_view identity = client->identity;
    found = clients_.emplace(identity, std::move(client)).first;
  }
  opened.connection = found->second.get();
  opened.connection->channels.append(opened);
  table_.insert(std::move(channel));
  return opened;
}

Channel* Channels::find(const wire::Envelope& client, std::string_view id) const {
  const auto found = table_.find(Name(client, id));
  return found == table_.end() ? nullptr : found->get();
}

void Channels::close(Channel& channel) {
  Client& client = *channel.connection;
  client.channels.remove(channel);
  if (client.channels.empty()) clients_.erase(clients_.find(client.identity));
  table_.erase(table_.find(Name(channel.client, channel.id())));
}

Client* Channels::client(std::string_view identity) const {
  const auto found = clients_.find(identity);
  return found == clients_.end() ? nullptr : found->second.get();
}

}  // namespace zerosuite::proxy
