// What the sources of ids yield in one thread, without any call: the issuer on the machine's clocks and a
// store in memory.
// `--what NAME` says of which; one line of JSON says how many a second.
#include <functional>

#include "id/issuer.hpp"
#include "id/secret/secrets.hpp"
#include "id/text/digits.hpp"
#include "measure.hpp"
#include "support/memory_store.hpp"

namespace {

using namespace zerosuite;
using id::RandomKind;

// As many sequence numbers in a millisecond as no core uses up: Twitter's bits end at 4,096.
constexpr std::string_view kRoomyLayout = "custom:41/0/22@1288834974657";
constexpr std::int64_t kBatch = 1000;
// A reading of the clock each time would be most of what is measured.
constexpr std::size_t kBlock = 4096;

/// Makes the compiler believe that somebody looks at it.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

/// An issuer that is ready.
class Core {
 public:
  Core() {
    issuer_.emplace(id::IssuerParts{timers_, store_, clocks_}, options(), nullptr);
    issuer_->start();
    store_.settle();
    if (!issuer_->ready()) throw std::runtime_error("the issuer is not ready");
    batch();  // one() never waits for the first ticks to be reserved
  }

  id::Now look() {
    store_.settle();
    return issuer_->time().look();
  }

  std::int64_t snowflake(const id::Now& now) { return snowflakes().one(now).value(); }

  void batch() {
    snowflakes().take(kBatch, [](const core::Result<id::Snowflake::Runs>& runs) {
      if (!runs) throw core::Failure(runs.error());
      keep(runs->front());
    });
    store_.settle();
  }

  id::RandomIds& random_ids() { return issuer_->random_ids(); }

 private:
  static id::IssuerOptions options() {
    id::IssuerOptions options;
    options.layout = id::layout_of(kRoomyLayout);
    options.worker.claim.workers = options.layout.workers();
    return options;
  }

  id::Snowflake& snowflakes() { return issuer_->snowflakes().of("default"); }

  net::Timers timers_{core::Clock::now()};
  test::MemoryStore store_{timers_};
  id::SystemClocks clocks_;
  std::optional<id::Issuer> issuer_;
};

/// Times `work`, which makes `ids` of them.
template <class Work>
void measure(const bench::Flags& flags, std::size_t ids, Work work) {
  const auto begin = bench::Clock::now() + std::chrono::milliseconds(flags.count("--warmup_ms", 100));
  const auto end = begin + std::chrono::milliseconds(flags.count("--run_ms", 400));
  const std::size_t block = std::max<std::size_t>(kBlock / ids, 1);
  std::size_t answered = 0, counted = 0;
  bench::TimePoint since{}, now{};
  while (now < end) {
    for (std::size_t i = 0; i < block; ++i) work();
    now = bench::Clock::now();
    answered += block * ids;
    if (since == bench::TimePoint()) {
      if (now >= begin) since = now;
    } else {
      counted += block * ids;
    }
  }
  const double seconds = std::chrono::duration<double>(now - since).count();
  std::printf("{\"answered\": %zu, \"per_second\": %.1f}\n", answered,
              static_cast<double>(counted) / seconds);
}

void snowflakes(const bench::Flags& flags, const std::string& what) {
  Core core;
  if (what == "snowflake") return measure(flags, 1, [&] { keep(core.snowflake(core.look())); });
  if (what == "batch") return measure(flags, kBatch, [&] { core.batch(); });
  constexpr std::size_t kIdsPerLook = 64;
  measure(flags, kIdsPerLook, [&] {
    const id::Now now = core.look();
    for (std::size_t i = 0; i < kIdsPerLook; ++i) keep(core.snowflake(now));
  });
}

void random_ids(const bench::Flags& flags, RandomKind kind) {
  Core core;
  const std::size_t n = flags.count("--n", 1);
  measure(flags, n, [&] { keep(core.random_ids().issue(kind, n)); });
}

void texts(const bench::Flags& flags, const std::string& what) {
  const id::Secrets secrets({{.id = 'a', .bytes = core::SecretVector<unsigned char>(16, 0x5a)}});
  std::int64_t next = std::int64_t{1} << 61;
  if (what == "obf") return measure(flags, 1, [&] { keep(secrets.obf(next++)); });
  if (what == "token") return measure(flags, 1, [&] { keep(secrets.token(next++)); });
  measure(flags, 1, [&] { keep(id::formats::encode(next++, id::formats::Form::kBase62)); });
}

void drive(const bench::Flags& flags) {
  const std::string what = flags.text("--what");
  const std::map<std::string, std::function<void()>> all = {
      {"snowflake", [&] { snowflakes(flags, what); }},
      {"snowflake64", [&] { snowflakes(flags, what); }},
      {"batch", [&] { snowflakes(flags, what); }},
      {"uuid4", [&] { random_ids(flags, RandomKind::kUuid4); }},
      {"uuid7", [&] { random_ids(flags, RandomKind::kUuid7); }},
      {"ulid", [&] { random_ids(flags, RandomKind::kUlid); }},
      {"obf", [&] { texts(flags, what); }},
      {"token", [&] { texts(flags, what); }},
      {"b62", [&] { texts(flags, what); }},
  };
  all.at(what)();
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, drive); }
