// The table of transactions, with nested columns.

#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include "sources/simulated/columns.h"

namespace amp {
namespace {

using columns::BytesOf;
using columns::Row;

enum Purpose : uint64_t {
  kTo = 1,
  kFrom,
  kNonce,
  kPrice,
  kGas,
  kValue,
  kInput,
  kR,
  kS,
  kParity,
  kType,
  kFee,
  kTip,
  kBlobFee,
  kStatus,
  kState,
  kAccess,
  kBlobs,
  kAuthorizations
};

// Ethereum's types of transactions: each has other columns null.
enum Type : int32_t { kLegacy = 0, kAccessListed = 1, kDynamicFee = 2, kBlob = 3, kSetCode = 4 };

constexpr uint64_t kTransfer = 21'000;

Type TypeOf(const Row& row) {
  constexpr std::array<Type, 8> kTypes{kLegacy,     kLegacy,     kAccessListed, kDynamicFee,
                                       kDynamicFee, kDynamicFee, kBlob,         kSetCode};
  return kTypes[row.Number(kType) % kTypes.size()];
}

std::optional<arrow::Decimal128> AmountIf(bool there, const Row& row, Purpose purpose) {
  if (!there) return std::nullopt;
  return columns::Amount(row.Number(purpose));
}

// Up to 78 digits, as 256 bits have.
Status AppendValue(arrow::ArrayBuilder* builder, const Row& row) {
  const uint64_t number = row.Number(kValue);
  const std::string text =
      number % 8 == 0   ? std::string("0")
      : number % 8 == 1 ? fmt::format("1{:019}{:019}{:019}{:019}", number / 2, Mix(number) / 2,
                                      Mix(number + 1) / 2, Mix(number + 2) / 2)
                        : fmt::format("{}", number);
  return static_cast<arrow::StringBuilder*>(builder)->Append(text);
}

// A selector of 4 bytes, then words.
Status AppendInput(arrow::ArrayBuilder* builder, const Row& row) {
  const auto input = BytesOf<128 + 8>(row.Number(kInput));
  const uint64_t words = row.Number(kInput) % 5;
  return static_cast<arrow::BinaryBuilder*>(builder)->Append(
      input.data(), words == 0 ? 0 : static_cast<int32_t>(4 + (words - 1) * 32));
}

std::shared_ptr<arrow::DataType> ListOf(std::shared_ptr<arrow::DataType> type) {
  return arrow::list(arrow::field("item", std::move(type), false));
}

std::shared_ptr<arrow::DataType> AccessListType() {
  return ListOf(
      arrow::struct_({arrow::field("address", arrow::fixed_size_binary(20), false),
                      arrow::field("storage_keys", ListOf(arrow::fixed_size_binary(32)), false)}));
}

std::shared_ptr<arrow::DataType> AuthorizationListType() {
  return ListOf(arrow::struct_({arrow::field("chain_id", arrow::uint64(), false),
                                arrow::field("address", arrow::fixed_size_binary(20), false),
                                arrow::field("nonce", arrow::uint64(), false),
                                arrow::field("y_parity", arrow::boolean(), false),
                                arrow::field("r", arrow::fixed_size_binary(32), false),
                                arrow::field("s", arrow::fixed_size_binary(32), false)}));
}

// A list of hashes, 0 to `most` - 1 of them.
Status AppendHashes(arrow::ArrayBuilder* builder, uint64_t key, uint64_t most) {
  auto* const list = static_cast<arrow::ListBuilder*>(builder);
  auto* const hashes = static_cast<arrow::FixedSizeBinaryBuilder*>(list->value_builder());
  ARROW_RETURN_NOT_OK(list->Append());
  for (uint64_t i = 0; i < key % most; ++i) {
    ARROW_RETURN_NOT_OK(hashes->Append(BytesOf<32>(Mix(key + i))));
  }
  return Status::OK();
}

// Null for legacy transactions; often empty.
Status AppendAccessList(arrow::ArrayBuilder* builder, const Row& row) {
  auto* const list = static_cast<arrow::ListBuilder*>(builder);
  if (TypeOf(row) == kLegacy) return list->AppendNull();
  auto* const entries = static_cast<arrow::StructBuilder*>(list->value_builder());
  auto* const addresses = static_cast<arrow::FixedSizeBinaryBuilder*>(entries->field_builder(0));
  ARROW_RETURN_NOT_OK(list->Append());
  const uint64_t key = row.Number(kAccess);
  for (uint64_t i = 0; i < key % 3; ++i) {
    ARROW_RETURN_NOT_OK(entries->Append());
    ARROW_RETURN_NOT_OK(addresses->Append(columns::Account(key + i)));
    ARROW_RETURN_NOT_OK(AppendHashes(entries->field_builder(1), Mix(key + i), 4));
  }
  return Status::OK();
}

Status AppendBlobHashes(arrow::ArrayBuilder* builder, const Row& row) {
  if (TypeOf(row) != kBlob) return builder->AppendNull();
  return AppendHashes(builder, row.Number(kBlobs), 6);
}

Status AppendAuthorization(arrow::StructBuilder* entries, uint64_t key) {
  using arrow::FixedSizeBinaryBuilder;
  using arrow::UInt64Builder;
  ARROW_RETURN_NOT_OK(entries->Append());
  ARROW_RETURN_NOT_OK(static_cast<UInt64Builder*>(entries->field_builder(0))->Append(key % 3));
  ARROW_RETURN_NOT_OK(static_cast<FixedSizeBinaryBuilder*>(entries->field_builder(1))
                          ->Append(columns::Account(key)));
  ARROW_RETURN_NOT_OK(static_cast<UInt64Builder*>(entries->field_builder(2))->Append(Mix(key)));
  ARROW_RETURN_NOT_OK(
      static_cast<arrow::BooleanBuilder*>(entries->field_builder(3))->Append(key % 2 == 0));
  for (const int field : {4, 5}) {
    ARROW_RETURN_NOT_OK(static_cast<FixedSizeBinaryBuilder*>(entries->field_builder(field))
                            ->Append(BytesOf<32>(Mix(key + static_cast<uint64_t>(field)))));
  }
  return Status::OK();
}

Status AppendAuthorizations(arrow::ArrayBuilder* builder, const Row& row) {
  auto* const list = static_cast<arrow::ListBuilder*>(builder);
  if (TypeOf(row) != kSetCode) return list->AppendNull();
  ARROW_RETURN_NOT_OK(list->Append());
  const uint64_t key = row.Number(kAuthorizations);
  for (uint64_t i = 0; i < key % 3; ++i) {
    ARROW_RETURN_NOT_OK(
        AppendAuthorization(static_cast<arrow::StructBuilder*>(list->value_builder()), key + i));
  }
  return Status::OK();
}

// Null where a contract is created.
std::optional<columns::Address> Recipient(const Row& row) {
  if (row.Number(kTo) % 20 == 0) return std::nullopt;
  return columns::Account(row.Number(kTo));
}

std::optional<BlockHash> StateRoot(const Row& row) {
  if (row.Number(kState) % 8 != 0) return std::nullopt;
  return BytesOf<32>(row.Number(kState));
}

std::optional<uint64_t> ChainId(const Row& row) {
  if (TypeOf(row) == kLegacy && row.Number(kState) % 2 == 0) return std::nullopt;
  return 1;
}

uint64_t GasLimit(const Row& row) { return kTransfer + row.Number(kGas) % 1'000'000; }

uint64_t GasUsed(const Row& row) {
  return kTransfer + Mix(row.Number(kGas)) % (GasLimit(row) - kTransfer + 1);
}

}  // namespace

std::vector<SimulatedColumn> TransactionColumns() {
  using namespace columns;  // NOLINT: the list's words
  return {
      BlockNumber("_block_num"),
      BlockHashColumn("block_hash"),
      BlockNumber("block_num"),
      BlockTime(),
      UInt32("tx_index", [](const Row& r) { return r.index; }),
      Hash("tx_hash", [](const Row& r) { return TransactionHash(r.key); }),
      AddressColumn("to", Recipient),
      UInt64("nonce", [](const Row& r) { return r.Number(kNonce) % 1'000'000; }),
      Decimal("gas_price",
              [](const Row& r) { return AmountIf(TypeOf(r) < kDynamicFee, r, kPrice); }),
      UInt64("gas_limit", GasLimit),
      Any("value", arrow::utf8(), false, AppendValue),
      Any("input", arrow::binary(), false, AppendInput),
      Hash("r", [](const Row& r) { return BytesOf<32>(r.Number(kR)); }),
      Hash("s", [](const Row& r) { return BytesOf<32>(r.Number(kS)); }),
      Bool("v_parity", [](const Row& r) { return r.Number(kParity) % 2 == 0; }),
      UInt64("chain_id", ChainId),
      UInt64("gas_used", GasUsed),
      Fixed<arrow::Int32Builder>("type", arrow::int32(),
                                 [](const Row& r) { return static_cast<int32_t>(TypeOf(r)); }),
      Decimal("max_fee_per_gas",
              [](const Row& r) { return AmountIf(TypeOf(r) >= kDynamicFee, r, kFee); }),
      Decimal("max_priority_fee_per_gas",
              [](const Row& r) { return AmountIf(TypeOf(r) >= kDynamicFee, r, kTip); }),
      Decimal("max_fee_per_blob_gas",
              [](const Row& r) { return AmountIf(TypeOf(r) == kBlob, r, kBlobFee); }),
      AddressColumn("from", [](const Row& r) { return Account(r.Number(kFrom)); }),
      Bool("status", [](const Row& r) { return r.Number(kStatus) % 10 != 0; }),
      Hash("state_root", StateRoot),
      Any("access_list", AccessListType(), true, AppendAccessList),
      Any("blob_versioned_hashes", ListOf(arrow::fixed_size_binary(32)), true, AppendBlobHashes),
      Any("authorization_list", AuthorizationListType(), true, AppendAuthorizations),
  };
}

}  // namespace amp
