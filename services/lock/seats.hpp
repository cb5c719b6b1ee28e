// What is shared among all clients, and how much of it each has.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/error.hpp"
#include "core/keyed_hash.hpp"
#include "core/quota.hpp"

namespace zerosuite::lock {

/// So many of one thing, shared as core::Quota says. Clients go by what rpc::CallInfo::client() answers. Loop
/// thread only. Must outlive its seats.
class Seats {
 public:
  /// One of so many. Gives itself back.
  class Seat {
   public:
    Seat() = default;
    Seat(Seat&& other) noexcept
        : seats_(std::exchange(other.seats_, nullptr)), client_(std::move(other.client_)) {}
    Seat& operator=(Seat&& other) noexcept {
      std::swap(seats_, other.seats_);
      std::swap(client_, other.client_);
      return *this;
    }
    ~Seat() {
      if (seats_ != nullptr) seats_->give_back(client_);
    }

   private:
    friend class Seats;
    Seat(Seats& seats, std::string client) : seats_(&seats), client_(std::move(client)) {}

    Seats* seats_ = nullptr;
    std::string client_;
  };

  /// `what` is a plural, for errors: "waiters".
  Seats(const char* what, std::size_t most) : what_(what), quota_{most, most} {}
  Seats(const Seats&) = delete;
  Seats& operator=(const Seats&) = delete;

  /// Throws core::Failure(Overloaded) when the client may not have one more.
  void check(const std::string& client) const {
    const auto found = clients_.find(client);
    const std::size_t own = found == clients_.end() ? 0 : found->second;
    if (quota_.admits(own, used_)) return;
    throw core::Failure(core::kOverloaded, "of " + std::to_string(quota_.total) + " " + what_ +
                                               " there are " + std::to_string(used_) + ", " +
                                               std::to_string(own) + " of this client");
  }
  /// check(), and one of them.
  Seat take(const std::string& client) {
    check(client);
    ++used_;
    ++clients_[client];
    return {*this, client};
  }

 private:
  void give_back(const std::string& client) {
    --used_;
    const auto found = clients_.find(client);
    if (--found->second == 0) clients_.erase(found);
  }

  const char* const what_;
  const core::Quota quota_;
  std::size_t used_ = 0;
  std::unordered_map<std::string, std::size_t, core::KeyedHash> clients_;
};

}  // namespace zerosuite::lock
