// --where expressions: what is accepted must bind to its schema.

#include <arrow/api.h>
#include <arrow/compute/initialize.h>

#include <cstdlib>

#include "core/where.h"

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  return arrow::compute::Initialize().ok() ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto schema = arrow::schema(
      {arrow::field("a", arrow::uint64()), arrow::field("b", arrow::binary()),
       arrow::field("c", arrow::utf8()), arrow::field("d", arrow::float64()),
       arrow::field("t", arrow::timestamp(arrow::TimeUnit::NANO, "UTC")),
       arrow::field("x.y \"z", arrow::decimal128(38, 0)), arrow::field("e", arrow::boolean())});
  const auto where = amp::ParseWhere({reinterpret_cast<const char*>(data), size}, *schema);
  if (where.ok() && !where->expression.Bind(*schema).ok()) std::abort();
  return 0;
}
