#include "loaders/postgresql/copy_encoder.h"

#include <arrow/type.h>

#include "core/cell_encoder.h"
#include "loaders/postgresql/column_encoder.h"

namespace amp::postgresql {
namespace {

constexpr std::array<uint8_t, 19> kHeader{'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xFF, '\r', '\n',
                                          0,   0,   0,   0,   0,   0,   0,    0,    0};
constexpr std::array<uint8_t, 2> kTrailer{0xFF, 0xFF};

}  // namespace

std::span<const uint8_t> CopyHeader() { return kHeader; }
std::span<const uint8_t> CopyTrailer() { return kTrailer; }

Result<RowEncoder> MakeCopyEncoder(const arrow::Schema& schema, const std::vector<uint32_t>& oids) {
  std::vector<std::unique_ptr<ColumnEncoder>> columns;
  for (int i = 0; i < schema.num_fields(); ++i) {
    auto column = MakeColumnEncoder(*schema.field(i)->type(), oids[static_cast<size_t>(i)]);
    if (!column.ok()) {
      return WithContext(column.status(), fmt::format("column '{}'", schema.field(i)->name()));
    }
    columns.push_back(*std::move(column));
  }
  // Each row starts with its count of columns.
  std::vector<uint8_t> prefix(sizeof(int16_t));
  Put(static_cast<int16_t>(columns.size()), prefix.data());
  return RowEncoder(std::move(prefix), schema.field_names(), std::move(columns));
}

}  // namespace amp::postgresql
