#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// How data files are written. Columns are named by their dotted Parquet path ("a.list.element") or
/// by a column or struct above it, which means all leaves below.
namespace amp::parquet_files {

struct BloomFilterColumn {
  std::string column;
  std::optional<int64_t> distinct_values = {};  ///< left out: the rows of a row group
  double false_positives = 0.01;
};

struct WriteOptions {
  std::string compression = "snappy";  ///< none, snappy, lz4, gzip[:level], zstd[:level]
  int64_t target_file_bytes = int64_t{128} << 20;
  int64_t row_group_rows = int64_t{1} << 19;
  int64_t row_group_bytes = int64_t{32} << 20;  ///< as written
  int64_t data_page_bytes = int64_t{1} << 20;
  bool dictionary = true;
  std::vector<std::string> no_dictionary = {};  ///< columns that are known to repeat little
  std::vector<std::string> no_statistics = {};  ///< columns whose bounds nobody wants
  std::vector<BloomFilterColumn> bloom_filters = {};
  bool page_index = false;
  bool decimals_as_integers = true;  ///< of up to 18 digits, as Iceberg wants them
  std::vector<std::pair<std::string, std::string>> metadata = {};
  /// Arrow data that waits for its encoding; more makes the caller wait.
  int64_t queue_bytes = int64_t{32} << 20;
};

}  // namespace amp::parquet_files
