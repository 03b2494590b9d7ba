#pragma once

#include <gtest/gtest.h>

#include <string>

#include "amp/error.h"

/// GoogleTest assertions for statuses and results.

namespace amp::testing {

inline const arrow::Status& StatusOf(const arrow::Status& status) { return status; }
template <class T>
const arrow::Status& StatusOf(const arrow::Result<T>& result) {
  return result.status();
}
/// Kind and message of a status, for failure messages.
std::string Describe(const arrow::Status& status);

}  // namespace amp::testing

#define AMP_ASSERT_OK(expression)                                                                  \
  do {                                                                                             \
    const auto& amp_value = (expression);                                                          \
    const arrow::Status amp_status = ::amp::testing::StatusOf(amp_value);                          \
    ASSERT_TRUE(amp_status.ok()) << #expression << "\n  " << ::amp::testing::Describe(amp_status); \
  } while (false)

#define AMP_CONCAT_INNER(a, b) a##b
#define AMP_CONCAT(a, b) AMP_CONCAT_INNER(a, b)
#define AMP_ASSERT_OK_AND_ASSIGN_INNER(result, target, expression)                                \
  auto result = (expression);                                                                     \
  ASSERT_TRUE(result.ok()) << #expression << "\n  " << ::amp::testing::Describe(result.status()); \
  target = std::move(result).ValueUnsafe()

/// Fails the test unless `expression` is a result with a value, which goes to `target`.
#define AMP_ASSERT_OK_AND_ASSIGN(target, expression) \
  AMP_ASSERT_OK_AND_ASSIGN_INNER(AMP_CONCAT(amp_result_, __LINE__), target, expression)

/// The expression fails with an error of this kind whose message contains `text`.
#define AMP_EXPECT_ERROR(expression, wanted_kind, text)                                 \
  do {                                                                                  \
    const auto& amp_value = (expression);                                               \
    const arrow::Status amp_status = ::amp::testing::StatusOf(amp_value);               \
    EXPECT_FALSE(amp_status.ok()) << #expression << " should fail";                     \
    EXPECT_EQ(::amp::ToString(::amp::KindOf(amp_status)), ::amp::ToString(wanted_kind)) \
        << amp_status.message();                                                        \
    EXPECT_NE(amp_status.message().find(text), std::string::npos)                       \
        << "'" << (text) << "' is not in: " << amp_status.message();                    \
  } while (false)
