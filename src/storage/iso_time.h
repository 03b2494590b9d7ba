#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace amp::storage {

/// "2026-11-24T03:15:00.250Z" as Unix milliseconds, with or without a fraction; none where it is no
/// such time. As services write it: UTC always.
std::optional<int64_t> ParseIsoMillis(const std::string& text);

}  // namespace amp::storage
