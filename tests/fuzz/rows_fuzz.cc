// Stored rows that may be broken: MessagePack and JSON. What is accepted must be a valid batch.

#include <arrow/api.h>

#include <cstdlib>

#include "core/json_decoder.h"
#include "core/msgpack/msgpack_decoder.h"

namespace {

std::shared_ptr<arrow::Schema> FuzzSchema() {
  const auto point =
      arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("t", arrow::utf8())});
  return arrow::schema({arrow::field("a", arrow::uint64()), arrow::field("b", arrow::binary()),
                        arrow::field("c", arrow::decimal128(20, 2)),
                        arrow::field("d", arrow::list(point)),
                        arrow::field("e", arrow::map(arrow::utf8(), arrow::int8())),
                        arrow::field("f", arrow::timestamp(arrow::TimeUnit::NANO, "UTC")),
                        arrow::field("g", arrow::fixed_size_binary(4)),
                        arrow::field("h", arrow::month_day_nano_interval())});
}

template <class Decoder>
void Decode(std::string_view bytes) {
  auto decoder = Decoder::Make(FuzzSchema());
  if (!decoder.ok() || !decoder->Append(bytes).ok()) return;
  const auto batch = decoder->Finish();
  if (!batch.ok() || !(*batch)->ValidateFull().ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Decode<amp::msgpack::RowDecoder>(bytes);
  Decode<amp::JsonRowDecoder>(bytes);
  return 0;
}
