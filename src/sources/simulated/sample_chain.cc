#include "sources/simulated/sample_chain.h"

#include <arrow/builder.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

namespace amp {
namespace {

constexpr int64_t kGenesisSeconds = 1'700'000'000;
constexpr int64_t kSecondsPerBlock = 12;
constexpr int kHashBytes = 32;
constexpr int kAddressBytes = 20;

/// splitmix64: a small, well mixed function from numbers to numbers.
uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// Bytes that follow from a seed, what they are of, and a number.
std::array<uint8_t, kHashBytes> Hash(uint64_t seed, uint64_t what, uint64_t number) {
  std::array<uint8_t, kHashBytes> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(Mix(Mix(seed ^ Mix(what)) + number * 4 + i / 8) >> (i % 8 * 8));
  }
  return bytes;
}

enum What : uint64_t { kBlock, kTransaction, kAddress, kTopic, kAccount, kData, kChoice };

class LogsBuilder {
 public:
  explicit LogsBuilder(const SampleChain& chain) : chain_(chain) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Build() {
    for (int64_t block = 0; block < chain_.blocks; ++block) {
      for (int64_t log = 0; log < chain_.logs_per_block; ++log) {
        ARROW_RETURN_NOT_OK(AddLog(static_cast<uint64_t>(block), static_cast<uint64_t>(log)));
      }
    }
    return Finish();
  }

 private:
  uint64_t Choice(uint64_t row, uint64_t of) const {
    return Mix(chain_.seed ^ Mix(kChoice) ^ row) % of;
  }

  Status AddLog(uint64_t block, uint64_t log) {
    const uint64_t seed = chain_.seed;
    const uint64_t row = block * static_cast<uint64_t>(chain_.logs_per_block) + log;
    const uint64_t transaction = row / 3;
    ARROW_RETURN_NOT_OK(block_num_.Append(block));
    ARROW_RETURN_NOT_OK(timestamp_.Append(
        (kGenesisSeconds + static_cast<int64_t>(block) * kSecondsPerBlock) * 1'000'000'000));
    ARROW_RETURN_NOT_OK(block_hash_.Append(Hash(seed, kBlock, block).data()));
    ARROW_RETURN_NOT_OK(tx_hash_.Append(Hash(seed, kTransaction, transaction).data()));
    ARROW_RETURN_NOT_OK(log_index_.Append(static_cast<uint32_t>(log)));
    ARROW_RETURN_NOT_OK(address_.Append(Hash(seed, kAddress, Choice(row, 50)).data()));
    ARROW_RETURN_NOT_OK(topic0_.Append(Hash(seed, kTopic, Choice(row, 4)).data()));
    // Every fifth event has no second topic.
    ARROW_RETURN_NOT_OK(Choice(row, 5) == 0
                            ? topic1_.AppendNull()
                            : topic1_.Append(Hash(seed, kAccount, Choice(row, 1000)).data()));
    const auto data = Hash(seed, kData, row);
    const auto size = static_cast<int32_t>(Choice(row, 2) * kHashBytes);
    return data_.Append(data.data(), size);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish() {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    const std::array<arrow::ArrayBuilder*, 9> builders{&block_num_, &timestamp_, &block_hash_,
                                                       &tx_hash_,   &log_index_, &address_,
                                                       &topic0_,    &topic1_,    &data_};
    for (arrow::ArrayBuilder* builder : builders) {
      ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
      columns.push_back(std::move(column));
    }
    const int64_t rows = chain_.blocks * chain_.logs_per_block;
    return arrow::RecordBatch::Make(SampleLogsSchema(), rows, std::move(columns));
  }

  SampleChain chain_;
  arrow::UInt64Builder block_num_;
  arrow::TimestampBuilder timestamp_{arrow::timestamp(arrow::TimeUnit::NANO, "UTC"),
                                     arrow::default_memory_pool()};
  arrow::FixedSizeBinaryBuilder block_hash_{arrow::fixed_size_binary(kHashBytes)};
  arrow::FixedSizeBinaryBuilder tx_hash_{arrow::fixed_size_binary(kHashBytes)};
  arrow::UInt32Builder log_index_;
  arrow::FixedSizeBinaryBuilder address_{arrow::fixed_size_binary(kAddressBytes)};
  arrow::FixedSizeBinaryBuilder topic0_{arrow::fixed_size_binary(kHashBytes)};
  arrow::FixedSizeBinaryBuilder topic1_{arrow::fixed_size_binary(kHashBytes)};
  arrow::BinaryBuilder data_;
};

}  // namespace

std::shared_ptr<arrow::Schema> SampleLogsSchema() {
  const auto hash = arrow::fixed_size_binary(kHashBytes);
  return arrow::schema(
      {arrow::field("block_num", arrow::uint64(), false),
       arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::NANO, "UTC"), false),
       arrow::field("block_hash", hash, false), arrow::field("tx_hash", hash, false),
       arrow::field("log_index", arrow::uint32(), false),
       arrow::field("address", arrow::fixed_size_binary(kAddressBytes), false),
       arrow::field("topic0", hash), arrow::field("topic1", hash),
       arrow::field("data", arrow::binary(), false)});
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeSampleLogs(const SampleChain& chain) {
  return LogsBuilder(chain).Build();
}

Result<int64_t> WriteSampleLogs(const SampleChain& chain, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto batch, MakeSampleLogs(chain));
  ARROW_ASSIGN_OR_RAISE(const auto table, arrow::Table::FromRecordBatches({batch}));
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::io::FileOutputStream::Open(path));
  // The Arrow schema goes along: Parquet alone would not tell uint32 from int64 in every reader.
  const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  const auto writer = parquet::WriterProperties::Builder()
                          .compression(parquet::Compression::ZSTD)
                          ->enable_page_checksum()
                          ->build();
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 8192,
                                                 writer, properties));
  ARROW_RETURN_NOT_OK(out->Close());
  return table->num_rows();
}

}  // namespace amp
