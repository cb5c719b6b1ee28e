// Places that all clients share, and how many each client has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/keyed_hash.hpp"
#include "core/quota.hpp"

namespace zerosuite::lock {

/// A limited number of places of one kind, shared by core::Quota. Clients are identified by
/// rpc::CallInfo::client(). Loop thread only. Must outlive its seats.
class Seats {
  using Clients = std::unordered_map<std::string, std::size_t, core::KeyedHash>;

 public:
  /// Some places of one client, given back on destruction.
  class Seat {
   public:
    Seat() = default;
    Seat(Seat&& other) noexcept
        : seats_(std::exchange(other.seats_, nullptr)), client_(other.client_), places_(other.places_) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(seats_, other.seats_);
      std::swap(client_, other.client_);
      std::swap(places_, other.places_);
      return *this;
    }
    ~Seat() {
      if (seats_ != nullptr) seats_->give_back(*client_, places_);
    }

   private:
    friend class Seats;
    Seat(Seats& seats, Clients::value_type& client, std::size_t places)
        : seats_(&seats), client_(&client), places_(places) {}

    Seats* seats_ = nullptr;
    Clients::value_type* client_ = nullptr;
    std::size_t places_ = 0;
  };
  /// kKeptBack may also use the reserved places; they are for requests that have waited.
  enum class Room : std::uint8_t { kShared, kKeptBack };

  /// `what` names the places in errors: "places for waiters".
  Seats(const char* what, std::size_t most, std::string_view error = core::kOverloaded)
      : what_(what), error_(error), quota_{most, most} {}
  Seats(const Seats&) = delete;
  Seats& operator=(const Seats&) = delete;

  /// Whether the client may take that many more places.
  bool admits(const std::string& client, std::size_t places, Room room) const {
    const std::size_t own = of(client) + places - 1;
    const std::size_t used = used_ + places - 1;
    if (room == Room::kShared) return quota_.admits(own, used);
    return used < quota_.total && own < quota_.total - used;
  }
  core::Error excess(const std::string& client) const {
    return {std::string(error_), "of " + std::to_string(quota_.total) + " " + what_ + " there are " +
                                     std::to_string(used_) + ", " + std::to_string(of(client)) +
                                     " of this client"};
  }
  /// Throws excess() if the client may not take that many more places.
  void check(const std::string& client, std::size_t places) const {
    if (!admits(client, places, Room::kShared)) throw core::Failure(excess(client));
  }
  /// Takes places without checking for room.
  Seat take(const std::string& client, std::size_t places) {
    Clients::value_type& entry = *clients_.try_emplace(client).first;
    used_ += places;
    entry.second += places;
    return {*this, entry, places};
  }

 private:
  std::size_t of(const std::string& client) const {
    const auto found = clients_.find(client);
    return found == clients_.end() ? 0 : found->second;
  }
  void give_back(Clients::value_type& client, std::size_t places) {
    used_ -= places;
    client.second -= places;
    if (client.second == 0) clients_.erase(client.first);
  }

  const char* const what_;
  const std::string_view error_;
  const core::Quota quota_;
  std::size_t used_ = 0;
  Clients clients_;  // its entries have stable addresses
};

}  // namespace zerosuite::lock
