#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "amp/testing/servers.h"
#include "loaders/delta/log_reader.h"

/// Delta tables that others write and read, by way of tables.py.
namespace amp::delta {

/// What tables.py prints, as JSON; a failed run fails the test.
nlohmann::json RunTables(const std::string& arguments);

/// A table in a folder of its own that delta-rs wrote: inserts, deletes, compaction, partitions
/// whose names need escaping. Checkpoints after every `interval`th commit.
class WrittenTable {
 public:
  WrittenTable(int commits, int interval);

  const std::string& folder() const { return folder_; }
  std::string LogFile(const std::string& name) const { return folder_ + "/_delta_log/" + name; }
  LogReader Reader() const;
  /// The files of a version: by delta-rs, and here.
  nlohmann::json TheirFiles(int64_t version) const;
  nlohmann::json OurFiles(int64_t version) const;
  /// [rows, sum of a column, null names] by "deltalake", "polars" or "duckdb".
  nlohmann::json ReadBy(const std::string& reader) const;

 private:
  testing::TemporaryFolder temporary_;
  std::string folder_;
};

/// The files of a snapshot in the form of tables.py.
nlohmann::json FilesAsJson(const Snapshot& snapshot);

}  // namespace amp::delta
