// Files as units that are read one by one.

#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include <filesystem>
#include <fstream>

#include "amp/job.h"
#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "unit/arrays.h"

namespace amp {
namespace {

using namespace arrow;  // NOLINT: type names only
using testing::TemporaryFolder;
using unit::ArrayOf;
using unit::BatchOf;
using unit::BatchPtr;
using unit::Fails;

class FileUnitsTest : public ::testing::Test {
 protected:
  std::string WriteText(const std::string& name, std::string_view content) const {
    std::ofstream(folder_.file(name), std::ios::binary) << content;
    return folder_.file(name);
  }
  std::string WriteParquet(const std::string& name, const std::string& ids,
                           int64_t row_group = 2) const {
    const BatchPtr batch = BatchOf({{"id", ArrayOf(int64(), ids)}});
    const auto table = Table::FromRecordBatches({batch}).ValueOrDie();
    const auto out = io::FileOutputStream::Open(folder_.file(name)).ValueOrDie();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, default_memory_pool(), out, row_group).ok());
    EXPECT_TRUE(out->Close().ok());
    return folder_.file(name);
  }
  // The ids of one unit.
  static std::vector<int64_t> Ids(JobSource* source, size_t unit) {
    const auto reader = source->Open(unit);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    const auto table = (*reader)->ToTable().ValueOrDie();
    std::vector<int64_t> ids;
    for (const auto& chunk : table->GetColumnByName("id")->chunks()) {
      const auto& array = static_cast<const Int64Array&>(*chunk);
      for (int64_t i = 0; i < array.length(); ++i) ids.push_back(array.Value(i));
    }
    return ids;
  }

  TemporaryFolder folder_;
};

using Ints = std::vector<int64_t>;

TEST_F(FileUnitsTest, RowGroupsAndWholeFiles) {
  WriteParquet("a.parquet", "[1, 2, 3, 4, 5]");
  WriteText("b.csv", "id\n6\n7\n8\n");
  WriteParquet("c.parquet", "[9]");
  AMP_ASSERT_OK_AND_ASSIGN(const auto source, OpenFileUnits({.paths = {folder_.path()}}));
  const auto& units = source->units();
  ASSERT_EQ(units.size(), 5U);
  EXPECT_EQ(units[0].file, folder_.file("a.parquet"));
  EXPECT_EQ(units[2].part, 2U);
  EXPECT_EQ(units[2].rows, 1);
  EXPECT_EQ(units[3].rows, std::nullopt);
  EXPECT_EQ(units[0].fingerprint, units[1].fingerprint);
  EXPECT_NE(units[0].fingerprint, units[4].fingerprint);
  // In any order, and again.
  EXPECT_EQ(Ids(source.get(), 1), (Ints{3, 4}));
  EXPECT_EQ(Ids(source.get(), 3), (Ints{6, 7, 8}));
  EXPECT_EQ(Ids(source.get(), 2), (Ints{5}));
  EXPECT_EQ(Ids(source.get(), 0), (Ints{1, 2}));
  EXPECT_EQ(Ids(source.get(), 3), (Ints{6, 7, 8}));
  EXPECT_EQ(Ids(source.get(), 4), (Ints{9}));
}

TEST_F(FileUnitsTest, AFileHasOneNameHoweverItIsGiven) {
  const std::string path = WriteParquet("a.parquet", "[1]");
  const std::string other = folder_.path() + "/./x/..//a.parquet";
  std::filesystem::create_directory(folder_.file("x"));
  const std::string relative = std::filesystem::relative(path).string();
  AMP_ASSERT_OK_AND_ASSIGN(const auto source,
                           OpenFileUnits({.paths = {path, other, relative, "file://" + path}}));
  ASSERT_EQ(source->units().size(), 1U);
  EXPECT_EQ(source->units()[0].file, path);
}

TEST_F(FileUnitsTest, FiltersAndColumnsHoldForUnits) {
  const std::string path = WriteParquet("a.parquet", "[1, 2, 3, 4, 5]");
  AMP_ASSERT_OK_AND_ASSIGN(const auto source,
                           OpenFileUnits({.paths = {path}, .columns = {"id"}, .where = "id > 3"}));
  EXPECT_EQ(source->query(), "load --job --columns id --where id > 3");
  EXPECT_EQ(Ids(source.get(), 0), Ints{});
  EXPECT_EQ(Ids(source.get(), 1), Ints{4});
  EXPECT_EQ(Ids(source.get(), 2), Ints{5});
}

TEST_F(FileUnitsTest, AParquetFileWithoutRowGroupsIsAUnit) {
  const std::string path = WriteParquet("a.parquet", "[]");
  AMP_ASSERT_OK_AND_ASSIGN(const auto source, OpenFileUnits({.paths = {path}}));
  ASSERT_EQ(source->units().size(), 1U);
  EXPECT_EQ(Ids(source.get(), 0), Ints{});
}

TEST_F(FileUnitsTest, FingerprintsTellChangesAndNothingElse) {
  const auto fingerprint = [&](const std::string& path) {
    return OpenFileUnits({.paths = {path}}).ValueOrDie()->units()[0].fingerprint;
  };
  const std::string one = WriteParquet("a.parquet", "[1, 2, 3]");
  const std::string before = fingerprint(one);
  EXPECT_EQ(fingerprint(WriteParquet("copy.parquet", "[1, 2, 3]")), before);
  EXPECT_NE(fingerprint(WriteParquet("a.parquet", "[1, 2, 4]")), before);
  EXPECT_NE(fingerprint(WriteParquet("a.parquet", "[1, 2, 3]", 3)), before);
  const std::string text = fingerprint(WriteText("b.csv", "id\n1\n2\n"));
  EXPECT_NE(fingerprint(WriteText("b.csv", "id\n1\n3\n")), text);
  EXPECT_NE(fingerprint(WriteText("b.csv", "id\n1\n2\n3\n")), text);
  EXPECT_EQ(text, "0x0000000000000007" + text.substr(18));
}

TEST_F(FileUnitsTest, AFileThatChangesWhileItIsLoadedIsRefused) {
  const std::string path = WriteText("b.csv", "id\n1\n");
  AMP_ASSERT_OK_AND_ASSIGN(const auto source, OpenFileUnits({.paths = {path}}));
  WriteText("b.csv", "id\n1\n2\n");
  EXPECT_TRUE(Fails(source->Open(0).status(), ErrorKind::kDataInvalid, {"has changed"}));
}

TEST_F(FileUnitsTest, WhatAJobCannotRead) {
  EXPECT_TRUE(Fails(OpenFileUnits({.paths = {"-"}}).status(), ErrorKind::kConfigInvalid,
                    {"standard input"}));
  EXPECT_TRUE(Fails(OpenFileUnits({.paths = {WriteText("\xff.csv", "id\n1\n")}}).status(),
                    ErrorKind::kDataInvalid, {"UTF-8"}));
}

}  // namespace
}  // namespace amp
