#include "core/row_encoder.h"

#include <arrow/record_batch.h>

#include <cstring>
#include <numeric>

#include "core/batch_bytes.h"

namespace amp {
namespace {

constexpr int64_t kMostRowsPerPiece = 4096;
// Sizes are 32 bits; no form is more than eight times as large as its Arrow data.
constexpr int64_t kMostBytes = int64_t{UINT32_MAX} / 8;

}  // namespace

Status ValueError(int64_t row, std::string why) {
  return MakeError({.kind = ErrorKind::kDataInvalid, .operation = "encode", .row = row},
                   std::move(why));
}

RowEncoder::RowEncoder(std::vector<uint8_t> prefix, std::vector<std::string> names,
                       std::vector<std::unique_ptr<ColumnEncoder>> columns)
    : prefix_(std::move(prefix)), names_(std::move(names)), columns_(std::move(columns)) {}

Status RowEncoder::Encode(const arrow::RecordBatch& batch, int64_t first_row, const Sink& sink) {
  if (BytesOf(batch) > kMostBytes) return EncodeHalves(batch, first_row, sink);
  const int64_t step = RowsPerPiece(batch);
  for (int64_t start = 0; start < batch.num_rows(); start += step) {
    const int64_t count = std::min(step, batch.num_rows() - start);
    ARROW_RETURN_NOT_OK(Measure(batch, start, count, first_row));
    const std::span<const uint8_t> bytes = Write();
    ARROW_RETURN_NOT_OK(sink({bytes, sizes_}));
  }
  return Status::OK();
}

Status RowEncoder::EncodeHalves(const arrow::RecordBatch& batch, int64_t first_row,
                                const Sink& sink) {
  const int64_t half = batch.num_rows() / 2;
  if (half == 0) {
    return MakeError(ErrorKind::kDataInvalid,
                     fmt::format("row {} of the load has {} bytes; no more than {} can be stored",
                                 first_row, BytesOf(batch), kMostBytes));
  }
  ARROW_RETURN_NOT_OK(Encode(*batch.Slice(0, half), first_row, sink));
  return Encode(*batch.Slice(half), first_row + half, sink);
}

int64_t RowEncoder::RowsPerPiece(const arrow::RecordBatch& batch) const {
  const int64_t bytes = BytesOf(batch);
  const auto cell_headers = static_cast<int64_t>(columns_.size()) * 4;
  const int64_t row_bytes = bytes / std::max<int64_t>(1, batch.num_rows()) + cell_headers + 2;
  return std::clamp<int64_t>(kPieceBytes / row_bytes, 1, kMostRowsPerPiece);
}

Status RowEncoder::Measure(const arrow::RecordBatch& batch, int64_t start, int64_t count,
                           int64_t first_row) {
  sizes_.assign(static_cast<size_t>(count), static_cast<uint32_t>(prefix_.size()));
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

std::span<const uint8_t> RowEncoder::Write() {
  const size_t total = std::accumulate(sizes_.begin(), sizes_.end(), size_t{0});
  if (piece_.size() < total) piece_.resize(total);
  cursors_.resize(sizes_.size());
  uint8_t* at = piece_.data();
  for (size_t i = 0; i < cursors_.size(); ++i) {
    std::copy(prefix_.begin(), prefix_.end(), at);
    cursors_[i] = at + prefix_.size();
    at += sizes_[i];
  }
  for (const auto& column : columns_) column->Write(cursors_.data());
  return {piece_.data(), total};
}

}  // namespace amp
