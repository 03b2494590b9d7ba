#include "amp/testing/loader_test_config.h"

#include "amp/testing/asserts.h"

namespace amp::testing {

Result<std::unique_ptr<Loader>> LoaderTestConfig::MakeLoader() {
  ARROW_ASSIGN_OR_RAISE(const ConfigMap config, WorkingConfig());
  return Registry::Global().Make(loader(), config);
}

std::string Describe(const arrow::Status& status) {
  return std::string(ToString(KindOf(status))) + ": " + status.message();
}

}  // namespace amp::testing
