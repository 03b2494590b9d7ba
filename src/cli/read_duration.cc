#include "cli/read_duration.h"

#include <fmt/format.h>

#include "amp/config.h"

namespace amp::cli {

Result<std::chrono::milliseconds> ReadDuration(std::string_view name, const std::string& text) {
  const FieldSpec field{.name = name, .doc = {}, .type = FieldType::kDuration};
  std::chrono::milliseconds value{};
  const Status status = internal::ReadValue(field, {.value = text}, &value);
  if (status.ok()) return value;
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("--{} {}: {}", name, text, status.message()));
}

}  // namespace amp::cli
