#include "proxy/call_queues.hpp"

#include <iterator>

#include "proxy/route_table.hpp"
#include "rpc/transport/receive_loop.hpp"

namespace zerosuite::proxy {

bool CallQueues::make_room(const Service& service, const Client& client, std::size_t bytes) {
  const auto has_room = [&] {
    return service.queue.size() < limits_.calls && service.queued_bytes + bytes <= limits_.bytes;
  };
  const auto greedy = [&](const Client& one, std::size_t calls, std::size_t more) {
    return kSharers * (one.waiting + calls) > limits_.calls ||
           kSharers * (one.waiting_bytes + more) > limits_.bytes;
  };
  while (!has_room()) {
    if (greedy(client, 1, bytes)) return false;
    Route* last = service.queue.last();
    while (last != nullptr && !greedy(*last->connection, 0, 0)) last = service.queue.before(*last);
    if (last == nullptr) return false;
    evict_(*last);
  }
  return true;
}

void CallQueues::add(Route& route, std::vector<net::Frame>& frames) {
  const std::size_t bytes = rpc::size_of(frames);
  route.pending->request.assign(std::make_move_iterator(frames.begin()),
                                std::make_move_iterator(frames.end()));
  route.pending->bytes = bytes;
  route.service->queue.append(route);
  route.service->queued_bytes += bytes;
  ++route.connection->waiting;
  route.connection->waiting_bytes += bytes;
}

void CallQueues::remove(Route& route) {
  route.service->queue.remove(route);
  route.service->queued_bytes -= route.pending->bytes;
  --route.connection->waiting;
  route.connection->waiting_bytes -= route.pending->bytes;
  route.pending.reset();
}

Route* CallQueues::first_known(const ServiceRegistry& registry) const {
  for (Route* route = unknown_.queue.first(); route != nullptr; route = unknown_.queue.after(*route)) {
    if (registry.look_up(route->name()).service != nullptr) return route;
  }
  return nullptr;
}

}  // namespace zerosuite::proxy
