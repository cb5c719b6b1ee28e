// What the conformance tests and their C++ peers say to each other: one line, one MessagePack map in hex
// (tests/support/peer.py).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "support/golden.hpp"
#include "wire/codec.hpp"

namespace zerosuite::test {

/// One request. Keys that are asked for and missing are a std::runtime_error: the test is wrong.
class Request {
 public:
  explicit Request(const std::string& line) {
    const std::string bytes = from_hex(line);
    wire::Reader in(bytes);
    auto request = std::get<wire::Dict>(wire::read_value(in).data);
    for (auto& [key, value] : request) fields_.emplace(std::get<std::string>(key.data), std::move(value));
  }

  bool has(const std::string& key) const { return fields_.contains(key); }
  const std::string& text(const std::string& key) const { return std::get<std::string>(at(key).data); }
  const wire::List& list(const std::string& key) const { return std::get<wire::List>(at(key).data); }
  /// Whatever it is.
  const wire::Value& value(const std::string& key) const { return at(key); }
  std::size_t count(const std::string& key) const {
    return static_cast<std::size_t>(std::get<wire::Integer>(at(key).data));
  }
  /// An integer or a float.
  double number(const std::string& key) const {
    const wire::Value& value = at(key);
    if (const auto* integer = value.as<wire::Integer>()) return static_cast<double>(*integer);
    return std::get<double>(value.data);
  }

 private:
  const wire::Value& at(const std::string& key) const {
    const auto found = fields_.find(key);
    if (found == fields_.end()) throw std::runtime_error("the request has no \"" + key + '"');
    return found->second;
  }

  std::map<std::string, wire::Value> fields_;
};

/// One answer, built key by key.
class Answer {
 public:
  Answer& add(const char* key, wire::Value value) {
    fields_.add(key, std::move(value));
    return *this;
  }
  const wire::Dict& fields() const { return fields_; }

  /// Itself as a line.
  std::string line() const {
    wire::Buffer packed;
    wire::Packer packer(packed);
    wire::pack_value(packer, fields_);
    return to_hex({packed.data(), packed.size()}) + '\n';
  }

 private:
  wire::Dict fields_;
};

}  // namespace zerosuite::test
