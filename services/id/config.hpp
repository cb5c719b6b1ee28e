// What zerosuite-id can be told beside what every program can.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "id/api/format.hpp"
#include "id/issuer.hpp"
#include "id/secret/secrets.hpp"
#include "ops/config/config.hpp"

namespace zerosuite::id {

/// Name, endpoint and options. Lives as long as the process.
const ops::Program& program();

/// Throws core::Failure when a layout or a worker id is none.
IssuerOptions issuer_options(const ops::Config& config);
/// Where the floors are kept.
std::filesystem::path floors_file(const ops::Config& config);
/// Of the keys file, or of the environment's ZEROSUITE_ID_KEYS; none otherwise. Throws core::Failure
/// InvalidArgument.
Secrets secrets(const ops::Config& config);
/// How much one call may ask for.
BatchLimits batch_limits(const ops::Config& config);
/// Empty when none is configured. Throws core::Failure InvalidArgument.
core::SecretText admin_token(const ops::Config& config);
/// A key that may be "none"; nullopt then.
std::optional<std::string> text_unless_none(const ops::Config& config, std::string_view name);

}  // namespace zerosuite::id
