#include "loaders/postgresql/copy_encoder.h"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <numeric>

#include "loaders/postgresql/wire.h"

namespace amp::postgresql {
namespace {

constexpr std::array<uint8_t, 19> kHeader{'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xFF, '\r', '\n',
                                          0,   0,   0,   0,   0,   0,   0,    0,    0};
constexpr std::array<uint8_t, 2> kTrailer{0xFF, 0xFF};
constexpr int64_t kMostRowsPerPiece = 4096;

}  // namespace

std::span<const uint8_t> CopyEncoder::Header() { return kHeader; }
std::span<const uint8_t> CopyEncoder::Trailer() { return kTrailer; }

Result<CopyEncoder> CopyEncoder::Make(const arrow::Schema& schema,
                                      const std::vector<uint32_t>& oids) {
  CopyEncoder encoder;
  encoder.names_ = schema.field_names();
  for (int i = 0; i < schema.num_fields(); ++i) {
    auto column = MakeColumnEncoder(*schema.field(i)->type(), oids[static_cast<size_t>(i)]);
    if (!column.ok()) {
      return WithContext(column.status(), fmt::format("column '{}'", schema.field(i)->name()));
    }
    encoder.columns_.push_back(*std::move(column));
  }
  return encoder;
}

Status CopyEncoder::Encode(const arrow::RecordBatch& batch, int64_t first_row, const Sink& sink) {
  const int64_t step = RowsPerPiece(batch);
  for (int64_t start = 0; start < batch.num_rows(); start += step) {
    const int64_t count = std::min(step, batch.num_rows() - start);
    ARROW_RETURN_NOT_OK(MeasureRun(batch, start, count, first_row));
    ARROW_RETURN_NOT_OK(sink(WriteRun(count)));
  }
  return Status::OK();
}

int64_t CopyEncoder::RowsPerPiece(const arrow::RecordBatch& batch) const {
  const int64_t bytes = arrow::util::ReferencedBufferSize(batch).ValueOr(0);
  const auto cells = static_cast<int64_t>(columns_.size()) * 4;
  const int64_t row_bytes = bytes / std::max<int64_t>(1, batch.num_rows()) + cells + 2;
  return std::clamp<int64_t>(static_cast<int64_t>(kPieceBytes) / row_bytes, 1, kMostRowsPerPiece);
}

Status CopyEncoder::MeasureRun(const arrow::RecordBatch& batch, int64_t start, int64_t count,
                               int64_t first_row) {
  sizes_.assign(static_cast<size_t>(count), sizeof(int16_t));
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Status status =
        columns_[i]->Measure(*batch.column(static_cast<int>(i)), start, count, sizes_.data());
    if (status.ok()) continue;
    const int64_t row = ErrorInfoOf(status).row;
    return WithContext(status, row < 0 ? fmt::format("column '{}'", names_[i])
                                       : fmt::format("column '{}', row {} of the load", names_[i],
                                                     first_row + row));
  }
  return Status::OK();
}

std::span<const uint8_t> CopyEncoder::WriteRun(int64_t count) {
  const size_t total = std::accumulate(sizes_.begin(), sizes_.end(), size_t{0});
  if (piece_.size() < total) piece_.resize(total);
  cursors_.resize(static_cast<size_t>(count));
  uint8_t* at = piece_.data();
  for (size_t i = 0; i < cursors_.size(); ++i) {
    cursors_[i] = Put(static_cast<int16_t>(columns_.size()), at);
    at += sizes_[i];
  }
  for (const auto& column : columns_) column->Write(cursors_.data());
  return {piece_.data(), total};
}

}  // namespace amp::postgresql
