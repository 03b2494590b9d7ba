#pragma once

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amp/testing/asserts.h"
#include "loaders/parquet/data_file_set.h"
#include "parquet/folder_store.h"
#include "unit/arrays.h"

/// Sets of Parquet files in a folder of the test's own.
namespace amp::parquet_tests {

using parquet_files::DataFile;
using parquet_files::DataFileSet;
using parquet_files::FilePlan;
using parquet_files::WorkerPool;
using parquet_files::WriteOptions;
using Batch = std::shared_ptr<arrow::RecordBatch>;
using unit::ArrayOf;
using unit::BatchOf;

class WrittenFiles : public ::testing::Test {
 protected:
  WrittenFiles() : root_(MakeRoot()), store_(root_) {}
  ~WrittenFiles() override { fs::remove_all(root_); }

  void Plan(const std::shared_ptr<arrow::Schema>& schema, const WriteOptions& options = {}) {
    AMP_ASSERT_OK_AND_ASSIGN(plan_, FilePlan::Make(schema, options));
  }
  std::unique_ptr<DataFileSet> NewSet() {
    return std::make_unique<DataFileSet>(plan_, &store_, &pool_, [this](const std::string& group) {
      return group + "/" + std::to_string(next_file_++) + ".parquet";
    });
  }
  /// One group of these batches.
  Result<std::vector<DataFile>> WriteAll(const std::vector<Batch>& batches) {
    const auto set = NewSet();
    for (const auto& batch : batches) ARROW_RETURN_NOT_OK(set->Write("g", batch));
    return set->Finish();
  }
  Result<std::shared_ptr<arrow::Table>> Read(const std::vector<DataFile>& files) {
    std::vector<std::shared_ptr<arrow::Table>> tables;
    for (const DataFile& file : files) {
      ARROW_ASSIGN_OR_RAISE(auto input, store_.Open(file.path));
      parquet::arrow::FileReaderBuilder builder;
      ARROW_RETURN_NOT_OK(builder.Open(std::move(input)));
      // On this thread: the thread sanitizer does not see the locks of Arrow's.
      parquet::ArrowReaderProperties properties;
      properties.set_pre_buffer(false);
      ARROW_ASSIGN_OR_RAISE(auto reader, builder.properties(properties)->Build());
      ARROW_ASSIGN_OR_RAISE(auto table, reader->ReadTable());
      EXPECT_EQ(table->num_rows(), file.rows);
      EXPECT_EQ(fs::file_size(root_ + "/" + file.path), static_cast<uintmax_t>(file.bytes));
      tables.push_back(std::move(table));
    }
    return arrow::ConcatenateTables(tables);
  }
  /// Read back, the files hold the rows of the batches in their order.
  void ExpectRows(const std::vector<DataFile>& files, const std::vector<Batch>& batches) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto have, Read(files));
    AMP_ASSERT_OK_AND_ASSIGN(const auto want, arrow::Table::FromRecordBatches(batches));
    ASSERT_EQ(have->num_rows(), want->num_rows());
    AMP_ASSERT_OK_AND_ASSIGN(const auto have_whole, have->CombineChunks());
    AMP_ASSERT_OK_AND_ASSIGN(const auto want_whole, want->CombineChunks());
    for (int i = 0; i < want->num_columns() && want->num_rows() > 0; ++i) {
      EXPECT_TRUE(
          unit::SameValues(*have_whole->column(i)->chunk(0), *want_whole->column(i)->chunk(0)))
          << want->field(i)->name();
    }
  }
  size_t FilesOnDisk() {
    const auto objects = store_.List("", {});
    return objects.ok() ? objects->size() : 0;
  }

  std::string root_;
  FolderStore store_;
  WorkerPool pool_{3};
  std::shared_ptr<const FilePlan> plan_;
  int next_file_ = 0;

 private:
  static std::string MakeRoot() {
    std::string root = fs::temp_directory_path() / "ampload-test-XXXXXX";
    EXPECT_NE(mkdtemp(root.data()), nullptr);
    return root;
  }
};

/// The batch's rows again and again, in an order that mixes them.
inline Batch Repeated(const Batch& batch, int64_t rows) {
  arrow::Int64Builder indices;
  for (int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(indices.Append((i * 7 + i / 11) % batch->num_rows()).ok());
  }
  const auto taken = arrow::compute::Take(batch, indices.Finish().ValueOrDie());
  EXPECT_TRUE(taken.ok()) << taken.status().ToString();
  return taken->record_batch();
}

/// Numbers from `first` on and texts that differ.
inline Batch Numbered(int64_t first, int64_t rows) {
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  for (int64_t i = first; i < first + rows; ++i) {
    EXPECT_TRUE(numbers.Append(i).ok());
    // Bits that no codec finds a pattern in.
    const uint64_t mixed = static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15U;
    EXPECT_TRUE(texts.Append(std::to_string(mixed ^ (mixed >> 29))).ok());
  }
  return BatchOf({{"n", numbers.Finish().ValueOrDie()}, {"t", texts.Finish().ValueOrDie()}});
}

}  // namespace amp::parquet_tests
