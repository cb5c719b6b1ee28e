// The bodies of method.hpp's templates: how each shape of callable becomes a Method.
#pragma once

#include "core/keyed_hash.hpp"
#include "rpc/server/method.hpp"

namespace zerosuite::rpc {

/// The signature of a callable: its result and its parameters, split into those the suite passes and those
/// from the wire.
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... A>
struct Signature<R (*)(A...)> {
  using Result = R;
  using Params = std::tuple<std::decay_t<A>...>;
};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};

template <class T>
struct is_reply : std::false_type {};
template <class T>
struct is_reply<Reply<T>> : std::true_type {};
template <class T>
struct is_feed : std::false_type {};
template <class T>
struct is_feed<StreamWriter<T>> : std::true_type {};
template <class T>
struct is_stream : std::false_type {};
template <class T>
struct is_stream<Stream<T>> : std::true_type {};
template <class T>
struct is_blocking : std::false_type {};
template <class F>
struct is_blocking<Blocking<F>> : std::true_type {};

template <class Tuple>
struct First {
  using type = void;
};
template <class T, class... Rest>
struct First<std::tuple<T, Rest...>> {
  using type = T;
};
template <class Tuple>
struct Rest {
  using type = std::tuple<>;
};
template <class T, class... Others>
struct Rest<std::tuple<T, Others...>> {
  using type = std::tuple<Others...>;
};

template <class Params>
inline constexpr bool kLater =
    is_reply<typename First<Params>::type>::value || is_feed<typename First<Params>::type>::value;
template <class Params>
inline constexpr bool kStoppable = std::is_same_v<typename First<Params>::type, std::stop_token>;

/// The parameters that come from the wire.
template <class F>
struct WireParams {
  using All = typename Signature<F>::Params;
  using type =
      typename std::conditional_t<kLater<All> || kStoppable<All>, Rest<All>, std::type_identity<All>>::type;
};
template <class F>
struct WireParams<Blocking<F>> : WireParams<F> {};

template <class... T>
std::tuple<T...> take_all(const Method& method, Call& call, std::type_identity<std::tuple<T...>>) {
  Arguments arguments(method, call.args());
  return std::tuple<T...>{arguments.take<T>()...};  // braces: evaluated left to right
}

template <class F, class Args>
auto apply_or_nil(F& function, Args&& args) {
  if constexpr (std::is_void_v<decltype(std::apply(function, std::forward<Args>(args)))>) {
    std::apply(function, std::forward<Args>(args));
    return std::monostate();
  } else {
    return std::apply(function, std::forward<Args>(args));
  }
}

template <class F, class Args>
void invoke_now(F& function, Call& call, Args args) {
  auto result = apply_or_nil(function, std::move(args));
  using Result = decltype(result);
  if constexpr (is_stream<Result>::value) {
    call.defer()->stream(std::make_shared<StreamItems<typename Result::Item>>(std::move(result)));
  } else {
    call.answered(call.writer().ok(call.info(), result));
  }
}

template <class F, class Args>
void invoke_later(F& function, Call& call, Args args) {
  using R = typename First<typename Signature<F>::Params>::type;
  const R handle(call.defer());
  try {
    std::apply(function, std::tuple_cat(std::tuple(handle), std::move(args)));
  } catch (...) {
    if constexpr (is_feed<R>::value) {
      handle.fail(current_error());
    } else {
      handle(current_error());
    }
  }
}

/// One blocking call on its way through the pool.
template <class F, class Args>
struct BlockingJob {
  using Result = NilForVoid<typename Signature<F>::Result>;

  // NOLINTNEXTLINE(bugprone-exception-escape): assigning to the variant accesses only what it holds
  void run() noexcept {
    if (stop.stop_requested()) return;
    try {
      if constexpr (kStoppable<typename Signature<F>::Params>) {
        outcome = apply_or_nil(*function, std::tuple_cat(std::tuple(stop.get_token()), std::move(args)));
      } else {
        outcome = apply_or_nil(*function, std::move(args));
      }
    } catch (...) {
      outcome = current_error();
    }
  }

  std::shared_ptr<F> function;
  Args args;
  std::stop_source stop;
  std::variant<core::Error, Result> outcome = core::Error{core::kCancelled, "nobody waits for the answer"};
};

template <class F, class Args>
void invoke_blocking(const std::shared_ptr<F>& function, Call& call, Args args) {
  using Job = BlockingJob<F, Args>;
  const Reply<typename Job::Result> reply(call.defer());
  auto job = std::make_shared<Job>();
  job->function = function;
  job->args = std::move(args);
  reply.on_lost([job] { job->stop.request_stop(); });
  const bool queued = call.offload().submit_for(
      core::KeyedHash()(std::string_view(call.info().client())), [job] { job->run(); },
      [job, reply] { std::visit(reply, job->outcome); });
  if (!queued) reply(core::Error{core::kOverloaded, "too many blocking calls are waiting for a thread"});
}

template <std::size_t N, class F>
Method& Methods::add(std::string name, const Param (&params)[N], std::string doc, F function) {
  static_assert(std::tuple_size_v<typename WireParams<F>::type> == N, "one name for each argument");
  return bind<F>({std::move(name), {params, params + N}, std::move(doc), {}}, std::move(function));
}

template <class F>
Method& Methods::add(std::string name, std::string doc, F function) {
  static_assert(std::tuple_size_v<typename WireParams<F>::type> == 0, "one name for each argument");
  return bind<F>({std::move(name), {}, std::move(doc), {}}, std::move(function));
}

template <class F>
Method& Methods::bind(Method method, F function) {
  using Wire = typename WireParams<F>::type;
  [&method]<class... T>(std::type_identity<std::tuple<T...>>) {
    [[maybe_unused]] auto param = method.params.rbegin();
    // From the last backwards: an optional may be omitted if all arguments after it may.
    bool all_optional = true;
    const bool optional[] = {wire::is_optional<T>::value..., false};
    for (std::size_t i = sizeof...(T); i-- > 0; ++param) {
      if (optional[i] && all_optional && !param->fallback) param->fallback = wire::Value();
      all_optional = param->fallback.has_value();
    }
  }(std::type_identity<Wire>());

  if constexpr (is_blocking<F>::value) {
    method.invoke = [shared = std::make_shared<decltype(function.function)>(std::move(function.function))](
                        const Method& self, Call& call) {
      invoke_blocking(shared, call, take_all(self, call, std::type_identity<Wire>()));
    };
  } else {
    method.invoke = [function = std::move(function)](const Method& self, Call& call) mutable {
      if constexpr (kLater<typename Signature<F>::Params>) {
        invoke_later(function, call, take_all(self, call, std::type_identity<Wire>()));
      } else {
        invoke_now(function, call, take_all(self, call, std::type_identity<Wire>()));
      }
    };
  }
  return insert(std::move(method));
}

}  // namespace zerosuite::rpc
