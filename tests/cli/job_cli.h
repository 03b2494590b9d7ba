#pragma once

#include <gtest/gtest.h>

#include <string>

#include "amp/testing/servers.h"

/// The tests of `load --job`, for every target that takes streams: a target's test file says
///
///     INSTANTIATE_TEST_SUITE_P(LMDB, JobCli, ::testing::Values(&Url));
namespace amp::testing {

/// The URL of a target; what it needs on disk may lie in the folder.
using JobTarget = std::string (*)(const TemporaryFolder& folder);

class JobCli : public ::testing::TestWithParam<JobTarget> {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::string url_;
  TemporaryFolder folder_;
};

}  // namespace amp::testing
