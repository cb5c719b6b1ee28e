#include <memory>
#include <utility>

#include "id/api/groups.hpp"
#include "id/sequence/daily.hpp"
#include "id/sequence/validation.hpp"

namespace zerosuite::id {
namespace {

using rpc::Reply;
using wire::Value;

core::Done<std::int64_t> answer(const Reply<Value>& reply, const Formats& formats, std::string fmt) {
  formats.check(fmt);
  return reply.with([&formats, fmt = std::move(fmt)](std::int64_t id) { return formats.show(id, fmt); });
}

}  // namespace

void bind_sequences(rpc::Server& server, Issuer& issuer, const Formats& formats, const BatchLimits& limits) {
  Sequences& sequences = issuer.sequences();
  server.method("seq", {"name", {"fmt", int_format()}},
                "The next number of a sequence, greater than all that were returned before this call.",
                [&sequences, &formats](const Reply<Value>& reply, const std::string& name, std::string fmt) {
                  sequences.next(name, answer(reply, formats, std::move(fmt)), client_of(reply));
                });
  server.method("seq_batch", {"name", "n"}, "[lo, hi): the next n numbers of a sequence.",
                [&sequences, &limits](const Reply<std::vector<std::int64_t>>& reply, const std::string& name,
                                      std::int64_t n) {
                  batch_size(n, limits.range);
                  const auto bounds = [](const Range& range) {
                    return std::vector<std::int64_t>{range.lo, range.hi};
                  };
                  sequences.batch(name, n, reply.with(bounds), client_of(reply));
                });
  server.method("seq_durable", {"name", {"fmt", int_format()}},
                "As seq(), but never reserved in advance: a crash leaves no gap except for lost replies.",
                [&sequences, &formats](const Reply<Value>& reply, const std::string& name, std::string fmt) {
                  sequences.durable(name, answer(reply, formats, std::move(fmt)), client_of(reply));
                });
  server.method("daily", {"prefix", {"width", 6}, {"tz", "UTC"}},
                "The prefix, yyyymmdd and a counter of width digits that restarts every day in the zone tz.",
                [&daily = issuer.daily()](const Reply<std::string>& reply, std::string prefix,
                                          std::int64_t width, std::string tz) {
                  daily.next({std::move(prefix), width, std::move(tz)}, reply, client_of(reply));
                });
}

}  // namespace zerosuite::id
