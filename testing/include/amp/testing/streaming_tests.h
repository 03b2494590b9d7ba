#pragma once

#include <memory>
#include <string_view>

#include "amp/testing/loader_test_config.h"

namespace amp::testing {

/// Registers the streaming tests for a loader whose `supports_streaming` is set: the five that
/// every streaming loader has (metadata columns, reorg deletion, overlapping ranges, multi-network,
/// microbatch deduplication), and what exactly once means: resume, crash between steps, undo after
/// a restart, duplicate delivery, fencing, several streams in one table, undo of upserts and
/// merges, and what must be refused. Returns true.
bool RegisterStreamingTests(std::string_view suite,
                            const std::shared_ptr<LoaderTestConfig>& config);

}  // namespace amp::testing

/// Gives a loader the streaming tests; at namespace scope in its test file:
///
///     AMP_STREAMING_TESTS(ExampleStreaming, ExampleTestConfig);
#define AMP_STREAMING_TESTS(suite, config)                            \
  [[maybe_unused]] static const bool amp_streaming_tests_of_##suite = \
      ::amp::testing::RegisterStreamingTests(#suite, std::make_shared<config>())
