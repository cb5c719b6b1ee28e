// Makes a zerorpc method from a C++ callable: names, defaults and arity are fixed at registration, most of it
// at compile time.
//
//   // Replies at once:
//   methods.add("add", {"a", "b"}, "Adds.", [](double a, double b) { return a + b; });
//   // Replies later:
//   methods.add("get", {"key"}, "…", [](Reply<Value> reply, std::string key) { … });
//   // Replies with many values:
//   methods.add("range", {"n"}, "…", [](int n) { return Stream<int>(…); });
//   // Replies with values as they arise:
//   methods.add("watch", {"key"}, "…", [](StreamWriter<Value> writer, std::string key) { … });
//   // Runs on the pool's threads:
//   methods.add("sieve", {"n"}, "…", blocking([](std::stop_token stop, int n) { … }));
#pragma once

#include <exception>
#include <initializer_list>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <variant>
#include <vector>

#include "net/offload.hpp"
#include "rpc/nil.hpp"
#include "rpc/server/reply.hpp"
#include "rpc/server/stream_writer.hpp"
#include "wire/codec.hpp"

namespace zerosuite::rpc {

/// One argument: its name, and its default if it may be omitted. A trailing std::optional may be omitted too.
struct Param {
  Param(const char* its_name) : name(its_name) {}
  Param(const char* its_name, wire::Value value) : name(its_name), fallback(std::move(value)) {}

  std::string name;
  std::optional<wire::Value> fallback;
  std::string encoded_fallback;  ///< Set when the method is registered.
};

/// The call, as a bound method sees it. Loop thread only.
class Call {
 public:
  virtual const CallInfo& info() const = 0;
  /// The encoded args, checked.
  virtual std::string_view args() const = 0;
  virtual EventWriter& writer() = 0;
  /// Opens the channel, so that the reply may be sent later. Throws core::Failure(Overloaded) when there is
  /// no room.
  virtual std::shared_ptr<Channel> defer() = 0;
  virtual net::Offload& offload() = 0;
  /// Takes note of how the reply was delivered.
  virtual void answered(Delivery delivery) = 0;

 protected:
  ~Call() = default;
};

/// A registered method.
struct Method {
  std::string name;
  std::vector<Param> params;
  std::string doc;
  std::function<void(const Method&, Call&)> invoke;
  /// Running it twice has the same effect as running it once: a proxy may retry its call on another worker
  /// when the first has died without a reply.
  bool idempotent = false;
  /// Releases something that others may wait for, as the release of a lock does: it may use the reserved room
  /// when too many calls are open.
  bool relief = false;
};

template <class F>
struct Blocking {
  F function;
};
/// Marks a method that blocks or computes for longer than a millisecond: it runs on the offload pool. Its
/// first parameter may be a std::stop_token, whose stop is requested when the reply is no longer wanted.
template <class F>
Blocking<std::decay_t<F>> blocking(F&& function) {
  return {std::forward<F>(function)};
}

/// Takes a call's arguments one by one, from the wire or from the defaults.
class Arguments {
 public:
  /// Throws core::Failure(TypeError) with Python's text when there are too few or too many, or when they are
  /// not a list.
  Arguments(const Method& method, std::string_view encoded);

  template <class T>
  T take() {
    const Param& param = method_.params[index_++];
    const bool given = index_ <= given_ && !(param.fallback && in_.peek() == wire::Kind::kNil && in_.nil());
    try {
      if (given) return wire::read<T>(in_);
      wire::Reader fallback(param.encoded_fallback);
      return wire::read<T>(fallback);
    } catch (const wire::Mismatch& mismatch) {
      refuse(param, mismatch);
    }
  }

 private:
  [[noreturn]] void refuse(const Param& param, const wire::Mismatch& mismatch) const;

  const Method& method_;
  wire::Reader in_;
  std::size_t given_ = 0;
  std::size_t index_ = 0;
};

/// The table of a service's methods, sorted by name.
class Methods {
 public:
  Methods() = default;
  Methods(const Methods&) = delete;
  Methods& operator=(const Methods&) = delete;

  /// Registers `function` under `name`. Returns the entry, whose flags may still be set. Throws
  /// std::logic_error for a second method of the same name, and for an argument without a default after one
  /// with a default.
  template <std::size_t N, class F>
  Method& add(std::string name, const Param (&params)[N], std::string doc, F function);
  template <class F>
  Method& add(std::string name, std::string doc, F function);

  /// Sets Method::idempotent of every method registered so far.
  void declare_idempotent();
  /// Sets Method::relief of these methods. Throws std::invalid_argument for a name that is not registered.
  void declare_relief(std::initializer_list<std::string_view> names);

  /// Null when there is none.
  const Method* find(std::string_view name) const;
  const std::map<std::string, Method, std::less<>>& all() const { return methods_; }

 private:
  template <class F>
  Method& bind(Method method, F function);
  Method& insert(Method method);

  std::map<std::string, Method, std::less<>> methods_;
  std::unordered_map<std::string_view, const Method*> index_;  // hash index: every call is looked up here
};

}  // namespace zerosuite::rpc

#include "rpc/server/method_bind.hpp"  // the templates' bodies
