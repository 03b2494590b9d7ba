#pragma once

#include <memory>
#include <string_view>

#include "amp/testing/loader_test_config.h"

namespace amp::testing {

/// Registers the 7 core tests for a loader, as `<suite>.Connection` and so on: connection, context
/// manager, batch loading, append, overwrite, null handling, error handling. Returns true.
bool RegisterCoreTests(std::string_view suite, const std::shared_ptr<LoaderTestConfig>& config);

}  // namespace amp::testing

/// Gives a loader the core tests; at namespace scope in its test file:
///
///     AMP_CORE_TESTS(ExampleCore, ExampleTestConfig);
#define AMP_CORE_TESTS(suite, config)                            \
  [[maybe_unused]] static const bool amp_core_tests_of_##suite = \
      ::amp::testing::RegisterCoreTests(#suite, std::make_shared<config>())
