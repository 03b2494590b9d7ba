// Programs that are run by hand, not by ctest, find the tests' Python too.

#include <cstdlib>

namespace amp::testing {
namespace {

[[maybe_unused]] const int kSet = setenv("AMPLOAD_PYTHON", AMPLOAD_PYTHON, /*overwrite=*/0);

}  // namespace
}  // namespace amp::testing
