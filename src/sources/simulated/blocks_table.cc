// The table of blocks.

#include <arrow/util/decimal.h>

#include "sources/simulated/columns.h"

namespace amp {
namespace {

using columns::BytesOf;
using columns::Row;

enum Purpose : uint64_t {
  kOmmers = 1,
  kMiner,
  kState,
  kTransactionsRoot,
  kReceipts,
  kBloom,
  kDifficulty,
  kTotal,
  kGas,
  kExtra,
  kMixHash,
  kNonce,
  kFee,
  kWithdrawals,
  kBlobGas,
  kBeacon,
  kRequests,
  kIsNull
};

constexpr uint64_t kGasLimit = 30'000'000;

// One row in four has a null there.
bool IsNull(const Row& row, Purpose purpose) { return row.Number(kIsNull + purpose) % 4 == 0; }

auto HashFor(Purpose purpose) {
  return [=](const Row& row) { return BytesOf<32>(row.Number(purpose)); };
}
auto HashOrNull(Purpose purpose) {
  return [=](const Row& row) -> std::optional<BlockHash> {
    if (IsNull(row, purpose)) return std::nullopt;
    return BytesOf<32>(row.Number(purpose));
  };
}
auto NumberOrNull(Purpose purpose) {
  return [=](const Row& row) -> std::optional<uint64_t> {
    if (IsNull(row, purpose)) return std::nullopt;
    return row.Number(purpose);
  };
}
auto AmountOrNull(Purpose purpose) {
  return [=](const Row& row) -> std::optional<arrow::Decimal128> {
    if (IsNull(row, purpose)) return std::nullopt;
    return columns::Amount(row.Number(purpose));
  };
}

Status AppendBloom(arrow::ArrayBuilder* builder, const Row& row) {
  const auto bloom = BytesOf<256>(row.Number(kBloom));
  return static_cast<arrow::BinaryBuilder*>(builder)->Append(bloom.data(), bloom.size());
}

Status AppendExtra(arrow::ArrayBuilder* builder, const Row& row) {
  const auto extra = BytesOf<32>(row.Number(kExtra));
  return static_cast<arrow::BinaryBuilder*>(builder)->Append(
      extra.data(), static_cast<int32_t>(row.Number(kExtra) % 33));
}

}  // namespace

std::vector<SimulatedColumn> BlockColumns() {
  using namespace columns;  // NOLINT: the list's words
  return {
      BlockNumber("_block_num"),
      BlockNumber("block_num"),
      BlockTime(),
      BlockHashColumn("hash"),
      Hash("parent_hash", [](const Row& r) -> const BlockHash& { return r.block.parent_hash; }),
      Hash("ommers_hash", [](const Row&) { return BytesOf<32>(kOmmers); }),
      AddressColumn("miner", [](const Row& r) { return Account(r.Number(kMiner) % 20); }),
      Hash("state_root", HashFor(kState)),
      Hash("transactions_root", HashFor(kTransactionsRoot)),
      Hash("receipt_root", HashFor(kReceipts)),
      Any("logs_bloom", arrow::binary(), false, AppendBloom),
      Decimal("difficulty", [](const Row& r) { return Amount(r.Number(kDifficulty)); }),
      Decimal("total_difficulty", AmountOrNull(kTotal)),
      UInt64("gas_limit", [](const Row&) { return kGasLimit; }),
      UInt64("gas_used", [](const Row& r) { return r.Number(kGas) % kGasLimit; }),
      Any("extra_data", arrow::binary(), false, AppendExtra),
      Hash("mix_hash", HashFor(kMixHash)),
      UInt64("nonce", [](const Row& r) { return r.Number(kNonce); }),
      Decimal("base_fee_per_gas", AmountOrNull(kFee)),
      Hash("withdrawals_root", HashOrNull(kWithdrawals)),
      UInt64("blob_gas_used", NumberOrNull(kBlobGas)),
      UInt64("excess_blob_gas", NumberOrNull(kBlobGas)),
      Hash("parent_beacon_root", HashOrNull(kBeacon)),
      Hash("requests_hash", HashOrNull(kRequests)),
  };
}

}  // namespace amp
