#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"

/// Delta tables as delta-rs sees them: a Python process of its own, one for the test program.
namespace amp::testing {

/// All rows; none where there is no table. `options` are those of the storage.
Result<std::shared_ptr<arrow::Table>> ReadDelta(const std::string& folder,
                                                std::optional<int64_t> version = {},
                                                const nlohmann::json& options = {});

/// Lets delta-rs do something with a table: see delta_reader.py.
Status DoWithDelta(const std::string& folder, const std::string& what, nlohmann::json more = {});

/// Runs a Python script of `tests/interop` with arguments; what it printed. An error where it
/// fails.
Result<std::string> RunPython(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace amp::testing
