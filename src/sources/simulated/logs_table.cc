// The table of logs. It is what benchmarks stream: no column does more than mix numbers.

#include "sources/simulated/columns.h"

namespace amp {
namespace {

using columns::BytesOf;
using columns::Row;

enum Purpose : uint64_t { kAddress = 1, kTopic0, kTopics, kTopic1, kTopic2, kTopic3, kSize, kData };

constexpr uint64_t kContracts = 50;
constexpr uint64_t kEvents = 8;
constexpr size_t kWordBytes = 32;
constexpr size_t kAddressStart = 12;
constexpr size_t kNumberStart = 24;

// Logs are dealt out evenly to their block's transactions.
uint64_t TransactionOf(const Row& row) {
  const auto& options = row.options;
  return uint64_t{row.index} * options.transactions_per_block /
         std::max<uint64_t>(1, options.logs_per_block);
}

// How many topics: a few logs have none, most three.
uint64_t Topics(const Row& row) {
  const uint64_t choice = row.Number(kTopics) % 16;
  return choice == 0 ? 0 : choice < 3 ? 1 : choice < 5 ? 2 : choice < 13 ? 3 : 4;
}

// An account's address as a word: 12 bytes of zero before it.
BlockHash AccountWord(uint64_t number) {
  const columns::Address account = columns::Account(number);
  BlockHash word{};
  std::memcpy(word.data() + kAddressStart, account.data(), account.size());
  return word;
}

std::optional<BlockHash> Topic(const Row& row, uint64_t number, Purpose purpose) {
  if (Topics(row) <= number) return std::nullopt;
  return AccountWord(row.Number(purpose));
}

std::optional<BlockHash> FirstTopic(const Row& row) {
  if (Topics(row) == 0) return std::nullopt;
  return BytesOf<32>(Mix(row.Number(kTopic0) % kEvents));
}

std::optional<BlockHash> LastTopic(const Row& row) {
  if (Topics(row) < 4) return std::nullopt;
  return BytesOf<32>(row.Number(kTopic3));
}

// Numbers of 32 bytes, as contracts put them: the high bytes are mostly zero.
Status AppendData(arrow::ArrayBuilder* builder, const Row& row) {
  std::array<uint8_t, 4 * kWordBytes> data{};
  const size_t words = row.Number(kSize) % 5;
  for (size_t word = 0; word < words; ++word) {
    const uint64_t number = row.Number(kData + word);
    std::memcpy(data.data() + word * kWordBytes + kNumberStart, &number, 8);
  }
  return static_cast<arrow::BinaryBuilder*>(builder)->Append(
      data.data(), static_cast<int32_t>(words * kWordBytes));
}

BlockHash HashOfTransaction(const Row& row) {
  return columns::TransactionHash(columns::TransactionKey(row.block.key, TransactionOf(row)));
}

}  // namespace

std::vector<SimulatedColumn> LogColumns() {
  using namespace columns;  // NOLINT: the list's words
  return {
      BlockNumber("_block_num"),
      BlockHashColumn("block_hash"),
      BlockNumber("block_num"),
      BlockTime(),
      Hash("tx_hash", HashOfTransaction),
      UInt32("tx_index", [](const Row& r) { return static_cast<uint32_t>(TransactionOf(r)); }),
      UInt32("log_index", [](const Row& r) { return r.index; }),
      AddressColumn("address",
                    [](const Row& r) { return Account(r.Number(kAddress) % kContracts); }),
      Hash("topic0", FirstTopic),
      Hash("topic1", [](const Row& r) { return Topic(r, 1, kTopic1); }),
      Hash("topic2", [](const Row& r) { return Topic(r, 2, kTopic2); }),
      Hash("topic3", LastTopic),
      Any("data", arrow::binary(), false, AppendData),
  };
}

}  // namespace amp
