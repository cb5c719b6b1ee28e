// The configuration of zerosuite-id, in addition to that of every program.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "id/api/format.hpp"
#include "id/issuer.hpp"
#include "id/secret/secrets.hpp"
#include "ops/config.hpp"

namespace zerosuite::id {

inline constexpr ops::Program kProgram{.name = "id",
                                       .summary = "Distributed ids over zerorpc.",
                                       .bind = "tcp://127.0.0.1:4303",
                                       .data = "data/id"};

enum class StoreKind : std::uint8_t { kSqlite, kRedis };

struct Config final : ops::Config {
  Config();
  void describe(ops::OptionTable& options) override;
  void check() const override;

  /// Throws core::Failure InvalidArgument for an invalid layout or worker id.
  IssuerOptions issuer_options() const;
  /// The path of the high-water marks.
  std::filesystem::path marks_file() const;
  /// From the keys file, or from the environment variable ZEROSUITE_ID_KEYS; without keys otherwise. Throws
  /// core::Failure InvalidArgument.
  Secrets secrets() const;
  /// Empty if none is configured. Throws core::Failure InvalidArgument.
  core::SecretText admin_token() const;

  StoreKind store = StoreKind::kSqlite;
  std::string redis = "127.0.0.1:6379";
  std::string redis_prefix;
  std::optional<std::string> redis_password_file;
  int redis_replicas = 0;
  std::size_t redis_max_reply_bytes;
  std::optional<std::int64_t> worker;  ///< nullopt = the lowest free one.
  std::optional<std::string> floors_file;
  bool accept_regressed = false;
  bool allow_relayout = false;
  std::string layout = "twitter";
  IssuerOptions issuer;  ///< The options that are set directly; see issuer_options().
  BatchLimits limits;
  core::milliseconds start_wait{20'000};
  std::optional<std::string> keys_file;
  std::optional<core::SecretText> keys;
  std::optional<std::string> admin_token_file;
};

}  // namespace zerosuite::id
