#include "core/compute.h"

#include <arrow/compute/initialize.h>

namespace amp {

Status InitializeCompute() {
  static const Status status = arrow::compute::Initialize();
  return status;
}

}  // namespace amp
