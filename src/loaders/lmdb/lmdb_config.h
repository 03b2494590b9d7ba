#pragma once

#include <optional>
#include <string>
#include <vector>

#include "amp/config.h"

namespace amp {

/// How a row lies in a value; the guide (docs/targets/lmdb.md) has each form.
enum class LmdbValueFormat { kMsgpack, kJson, kArrowIpc };
constexpr std::array<std::string_view, 3> AmpEnumNames(LmdbValueFormat /*tag*/) {
  return {"msgpack", "json", "arrow_ipc"};
}

struct LMDBConfig {
  std::string path;
  ByteSize map_size;
  std::vector<std::string> key_columns;
  std::string key_pattern;
  std::optional<LmdbValueFormat> value_format;
  bool sync = true;
  bool create_db = true;

  static constexpr auto Fields() {
    using C = LMDBConfig;
    return std::make_tuple(
        Field("path", &C::path, "Folder of the database").Required().Alias("db_path"),
        Field("map_size", &C::map_size, "Most bytes the database may have; 0: it grows by itself")
            .Between(0, int64_t{1} << 46),
        Field("key_columns", &C::key_columns,
              "Columns that make the key, in binary that sorts as they do; left out: a growing row "
              "number")
            .Alias("key_column")
            .Alias("composite_key_columns"),
        Field("key_pattern", &C::key_pattern,
              "Text key instead, such as {table}:{network}:{block_num}"),
        Field("value_format", &C::value_format,
              "How a row is written; left out: as the table has it, msgpack in a new one"),
        Field("sync", &C::sync,
              "Whether a commit is on disk when it returns; without, a crash of the machine may "
              "lose or break the database"),
        Field("create_db", &C::create_db, "Whether a database that is not there is made")
            .Alias("create_if_missing"));
  }

  Status Validate() const;
};

}  // namespace amp
