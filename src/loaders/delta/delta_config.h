#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "amp/config.h"

namespace amp {

/// What becomes of a value that its column cannot hold exactly.
enum class DeltaOnLossy { kError, kNull, kTruncate };
constexpr std::array<std::string_view, 3> AmpEnumNames(DeltaOnLossy /*tag*/) {
  return {"error", "null", "truncate"};
}
/// What becomes of columns of times of day, durations and intervals, for which Delta has no type.
enum class DeltaOnTime { kRefuse, kNumber, kText };
constexpr std::array<std::string_view, 3> AmpEnumNames(DeltaOnTime /*tag*/) {
  return {"refuse", "number", "text"};
}
/// What becomes of decimals of over 38 digits.
enum class DeltaOnWideDecimal { kRefuse, kText };
constexpr std::array<std::string_view, 2> AmpEnumNames(DeltaOnWideDecimal /*tag*/) {
  return {"refuse", "text"};
}

struct AMP_EXPORT DeltaLakeStorageConfig {
  std::string path;
  std::map<std::string, std::string> storage_options;
  std::vector<std::string> partition_by;
  std::string replace_where;
  std::string description;
  std::map<std::string, std::string> properties;
  std::string compression;
  ByteSize target_file_size{int64_t{128} << 20};
  int64_t row_group_rows = int64_t{1} << 20;
  bool dictionary = true;
  std::vector<std::string> no_dictionary;
  std::vector<std::string> bloom_filters;
  DeltaOnLossy on_lossy = DeltaOnLossy::kError;
  DeltaOnTime on_time = DeltaOnTime::kRefuse;
  DeltaOnWideDecimal on_wide_decimal = DeltaOnWideDecimal::kRefuse;
  int commit_tries = 20;

  static constexpr auto Fields() {
    using C = DeltaLakeStorageConfig;
    return std::make_tuple(
        Field("path", &C::path, "Folder of the tables: a path, or s3://bucket/prefix")
            .Required()
            .Alias("table_path"),
        Field(
            "storage_options", &C::storage_options,
            "How to reach the bucket, as storage_options.region=… (access_key_id, "
            "secret_access_key, session_token, endpoint, profile, …); what is left out comes from "
            "the environment, as with Amazon's own tools")
            .Secret(),
        Field("partition_by", &C::partition_by, "Columns by which a new table is partitioned"),
        Field("replace_where", &C::replace_where,
              "OVERWRITE: only partitions that fit, such as day = '2024-01-01' AND chain = 'eth'"),
        Field("description", &C::description, "Comment of a new table"),
        Field("properties", &C::properties,
              "Properties of a new table, as properties.delta.appendOnly=true"),
        Field("compression", &C::compression,
              "Of data files: snappy, zstd[:level], lz4, gzip[:level], none; left out: the table's "
              "delta.parquet.compression.codec, or snappy"),
        Field("target_file_size", &C::target_file_size, "A load's next data file begins here")
            .Between(1 << 16, int64_t{1} << 40)
            .Alias("file_size_hint"),
        Field("row_group_rows", &C::row_group_rows, "Most rows in a row group of a data file")
            .Between(1, int64_t{1} << 31)
            .Alias("max_rows_per_group"),
        Field("dictionary", &C::dictionary,
              "Whether values that repeat are written as a dictionary"),
        Field("no_dictionary", &C::no_dictionary,
              "Columns without a dictionary, where it is known that their values repeat little"),
        Field("bloom_filters", &C::bloom_filters, "Columns that get bloom filters"),
        Field("on_lossy", &C::on_lossy,
              "A value that its column cannot hold exactly, such as odd nanoseconds: stop, store "
              "null, or cut it"),
        Field("on_time", &C::on_time,
              "Times of day, durations and intervals, for which Delta has no type: refuse the "
              "column, count its unit in a long, or write text"),
        Field("on_wide_decimal", &C::on_wide_decimal,
              "Decimals of over 38 digits: refuse the column, or write text"),
        Field("commit_tries", &C::commit_tries,
              "How often a commit is tried when other writers are faster")
            .Between(1, 1'000'000));
  }
};

}  // namespace amp
