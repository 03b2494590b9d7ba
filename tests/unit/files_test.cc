// Files as one stream of batches.

#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include <filesystem>
#include <fstream>

#include "amp/source.h"
#include "unit/arrays.h"

namespace amp {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::BatchPtr;
using unit::Fails;
using unit::SameValues;
using unit::Strings;

/// A directory that goes with the test.
class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "ampload_unit_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) const {
    const auto path = std::filesystem::path(directory_) / name;
    std::filesystem::create_directories(path.parent_path());
    return path.string();
  }
  std::string WriteText(const std::string& name, std::string_view content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
    return Path(name);
  }
  std::string WriteParquet(const std::string& name, const BatchPtr& batch,
                           int64_t row_group = 1'000) const {
    const auto table = Table::FromRecordBatches({batch}).ValueOrDie();
    const auto out = io::FileOutputStream::Open(Path(name)).ValueOrDie();
    EXPECT_TRUE(parquet::arrow::WriteTable(*table, default_memory_pool(), out, row_group).ok());
    EXPECT_TRUE(out->Close().ok());
    return Path(name);
  }
  std::string WriteArrow(const std::string& name, const BatchPtr& batch, bool stream) const {
    const auto out = io::FileOutputStream::Open(Path(name)).ValueOrDie();
    const auto writer = (stream ? ipc::MakeStreamWriter(out, batch->schema())
                                : ipc::MakeFileWriter(out, batch->schema()))
                            .ValueOrDie();
    EXPECT_TRUE(writer->WriteRecordBatch(*batch->Slice(0, 1)).ok());
    EXPECT_TRUE(writer->WriteRecordBatch(*batch->Slice(1)).ok());
    EXPECT_TRUE(writer->Close().ok() && out->Close().ok());
    return Path(name);
  }

  std::string directory_;
};

Result<std::shared_ptr<Table>> Read(const FileSourceOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const FileSource source, OpenFiles(options));
  return source.reader->ToTable();
}
Status ReadStatus(const FileSourceOptions& options) { return Read(options).status(); }

/// A column of a table in one piece.
ArrayPtr ColumnOf(const Table& table, const std::string& name) {
  return Concatenate(table.GetColumnByName(name)->chunks()).ValueOrDie();
}
ArrayPtr ReadColumn(const FileSourceOptions& options, const std::string& name) {
  const auto table = Read(options);
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return ColumnOf(**table, name);
}

BatchPtr Sample() {
  return BatchOf(
      {{"id", ArrayOf(int64(), "[1, 2, 3]")}, {"name", ArrayOf(utf8(), R"(["a", null, "c"])")}});
}

TEST_F(Files, EveryFormat) {
  WriteParquet("1.parquet", Sample());
  WriteArrow("2.arrow", Sample(), /*stream=*/false);
  WriteArrow("3.arrows", Sample(), /*stream=*/true);
  WriteText("5.jsonl", "{\"id\": 1, \"name\": \"a\"}\n{\"id\": 2}\n{\"name\": \"c\", \"id\": 3}\n");
  for (const char* name : {"1.parquet", "2.arrow", "3.arrows", "5.jsonl"}) {
    SCOPED_TRACE(name);
    const auto table = Read({.paths = {Path(name)}});
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    EXPECT_TRUE(SameValues(*ColumnOf(**table, "id"), *Sample()->column(0)));
    EXPECT_TRUE(SameValues(*ColumnOf(**table, "name"), *Sample()->column(1)));
  }
  WriteText("4.csv", "id,name\n1,a\n2,\"b\nb\"\n3,c\n");
  EXPECT_TRUE(SameValues(*ReadColumn({.paths = {Path("4.csv")}}, "name"),
                         *ArrayOf(utf8(), R"(["a", "b\nb", "c"])")));
}

TEST_F(Files, SizesAndCountsBeforeReading) {
  WriteParquet("a.parquet", Sample());
  WriteArrow("b.arrow", Sample(), false);
  const auto source = OpenFiles({.paths = {directory_}}).ValueOrDie();
  EXPECT_EQ(source.files, 2U);
  EXPECT_EQ(source.rows, 6);
  EXPECT_EQ(source.bytes, static_cast<int64_t>(std::filesystem::file_size(Path("a.parquet")) +
                                               std::filesystem::file_size(Path("b.arrow"))));
  EXPECT_EQ(OpenFiles({.paths = {directory_}, .where = "id > 1"}).ValueOrDie().rows, std::nullopt);
  WriteText("c.csv", "id,name\n1,a\n");
  EXPECT_EQ(OpenFiles({.paths = {directory_}}).ValueOrDie().rows, std::nullopt);
}

TEST_F(Files, FormatByContent) {
  WriteParquet("noname1", Sample());
  WriteArrow("noname2", Sample(), false);
  WriteArrow("noname3", Sample(), true);
  for (const char* name : {"noname1", "noname2", "noname3"}) {
    EXPECT_TRUE(SameValues(*ReadColumn({.paths = {Path(name)}}, "id"), *Sample()->column(0)));
  }
  const auto text = WriteText("noname4", "id\n7\n");
  EXPECT_TRUE(Fails(ReadStatus({.paths = {text}}), ErrorKind::kConfigInvalid,
                    {"noname4", "--format parquet|arrow|csv|jsonl"}));
  EXPECT_TRUE(SameValues(*ReadColumn({.paths = {text}, .format = FileFormat::kCsv}, "id"),
                         *ArrayOf(int64(), "[7]")));
}

TEST_F(Files, DirectoriesGlobsAndHiddenFiles) {
  WriteText("b.csv", "id\n2\n");
  WriteText("sub/deep/c.csv", "id\n3\n");
  WriteText("a.csv", "id\n1\n");
  for (const char* hidden : {".hidden.csv", "_temporary/d.csv", ".git/e.csv", "_f.csv"}) {
    WriteText(hidden, "other\n9\n");
  }
  WriteText("readme.txt", "no data");
  const auto ids = [&](const Strings& paths) { return ReadColumn({.paths = paths}, "id"); };
  EXPECT_TRUE(SameValues(*ids({directory_}), *ArrayOf(int64(), "[1, 2, 3]")));
  // A pattern means what it says.
  EXPECT_TRUE(SameValues(*ids({directory_ + "/[a-z].csv"}), *ArrayOf(int64(), "[1, 2]")));
  EXPECT_TRUE(Fails(ReadStatus({.paths = {directory_ + "/_*.csv"}, .columns = {"id"}}),
                    ErrorKind::kConfigInvalid, {"there are: other"}));
  EXPECT_TRUE(SameValues(*ids({directory_ + "/{b,a}.csv"}), *ArrayOf(int64(), "[2, 1]")));
  EXPECT_TRUE(SameValues(*ids({directory_ + "/s*"}), *ArrayOf(int64(), "[3]")));
  EXPECT_TRUE(
      SameValues(*ids({"file://" + Path("b.csv"), Path("a.csv")}), *ArrayOf(int64(), "[2, 1]")));
}

TEST_F(Files, AFileNamedLikeAGlobIsTheFile) {
  const auto path = WriteText("a[1].csv", "id\n1\n");
  EXPECT_TRUE(SameValues(*ReadColumn({.paths = {path}}, "id"), *ArrayOf(int64(), "[1]")));
}

TEST_F(Files, NothingToRead) {
  const auto not_found = ErrorKind::kNotFound;
  EXPECT_TRUE(
      Fails(ReadStatus({.paths = {directory_}}), not_found, {directory_, "has no .parquet"}));
  EXPECT_TRUE(
      Fails(ReadStatus({.paths = {directory_ + "/*.csv"}}), not_found, {"no file matches"}));
  const Status missing = ReadStatus({.paths = {directory_ + "/x.csv"}});
  EXPECT_TRUE(Fails(missing, not_found, {"x.csv", "no such file"}));
  EXPECT_EQ(ExitCodeOf(missing), 3);
  EXPECT_TRUE(Fails(ReadStatus({.paths = {}}), ErrorKind::kConfigInvalid, {"no source"}));
  EXPECT_TRUE(Fails(ReadStatus({.paths = {"-", directory_}}), ErrorKind::kConfigInvalid,
                    {"standard input"}));
}

TEST_F(Files, MissingColumnsAreNull) {
  WriteParquet("1.parquet", BatchOf({{"a", ArrayOf(int32(), "[1, 2]")}}));
  WriteArrow("2.arrow",
             BatchOf({{"b", ArrayOf(utf8(), R"(["x", "y"])")}, {"a", ArrayOf(int32(), "[3, 4]")}}),
             false);
  WriteParquet("3.parquet", BatchOf({{"b", ArrayOf(utf8(), R"(["z"])")}}));
  const FileSourceOptions all{.paths = {directory_}};
  EXPECT_EQ(OpenFiles(all).ValueOrDie().reader->schema()->field_names(), (Strings{"a", "b"}));
  EXPECT_TRUE(SameValues(*ReadColumn(all, "a"), *ArrayOf(int32(), "[1, 2, 3, 4, null]")));
  EXPECT_TRUE(
      SameValues(*ReadColumn(all, "b"), *ArrayOf(utf8(), R"([null, null, "x", "y", "z"])")));
  // Rows count also of files that have none of the columns asked for.
  EXPECT_TRUE(SameValues(*ReadColumn({.paths = {directory_}, .columns = {"b"}}, "b"),
                         *ArrayOf(utf8(), R"([null, null, "x", "y", "z"])")));
  EXPECT_TRUE(SameValues(*ReadColumn({.paths = {directory_}, .where = "b IS NULL"}, "a"),
                         *ArrayOf(int32(), "[1, 2]")));
  EXPECT_TRUE(SameValues(*ReadColumn({.paths = {directory_}, .where = "a >= 2"}, "a"),
                         *ArrayOf(int32(), "[2, 3, 4]")));
}

TEST_F(Files, ConflictingTypesNameBothFiles) {
  WriteParquet("1.parquet", Sample());
  WriteParquet("2.parquet", BatchOf({{"id", ArrayOf(utf8(), R"(["x"])")}}));
  const Status status = ReadStatus({.paths = {directory_}});
  EXPECT_TRUE(Fails(status, ErrorKind::kSchemaMismatch,
                    {"column 'id' is int64 in file", "1.parquet", "string in file", "2.parquet"}));
  EXPECT_EQ(ExitCodeOf(status), 5);
}

TEST_F(Files, AnEmptyTextColumnTakesAnyType) {
  WriteText("1.csv", "id,x\n1,\n");
  WriteText("2.csv", "id,x\n2,2.5\n");
  EXPECT_TRUE(
      SameValues(*ReadColumn({.paths = {directory_}}, "x"), *ArrayOf(float64(), "[null, 2.5]")));
}

TEST_F(Files, ColumnsComeInTheOrderAskedFor) {
  const auto batch = BatchOf(
      {{"a", ArrayOf(int8(), "[1]")},
       {"s", ArrayOf(struct_({field("x", int8()), field("y", int8())}), R"([{"x": 1, "y": 2}])")},
       {"b", ArrayOf(int8(), "[3]")}});
  for (const auto& path : {WriteParquet("1.parquet", batch), WriteArrow("2.arrow", batch, false),
                           WriteArrow("3.arrows", batch, true)}) {
    const auto table =
        Read({.paths = {path}, .columns = {"b", "s"}, .where = "a = 1"}).ValueOrDie();
    EXPECT_EQ(table->schema()->field_names(), (Strings{"b", "s"}));
    EXPECT_TRUE(SameValues(*ColumnOf(*table, "b"), *ArrayOf(int8(), "[3]")));
    EXPECT_TRUE(SameValues(*ColumnOf(*table, "s"), *batch->column(1)));
  }
  EXPECT_TRUE(Fails(ReadStatus({.paths = {directory_}, .columns = {"aa"}}),
                    ErrorKind::kConfigInvalid, {"--columns", "'aa'", "did you mean 'a'?"}));
}

TEST_F(Files, WhereOverRowGroups) {
  Int64Builder ids;
  StringBuilder names;
  for (int64_t i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(ids.Append(i).ok());
    ASSERT_TRUE((i % 10 == 0 ? names.AppendNull() : names.Append(std::to_string(i % 7))).ok());
  }
  const auto batch =
      BatchOf({{"id", ids.Finish().ValueOrDie()}, {"name", names.Finish().ValueOrDie()}});
  const auto path = WriteParquet("big.parquet", batch, /*row_group=*/100);
  const auto kept = [&](const std::string& where) {
    return ReadColumn({.paths = {path}, .columns = {"id"}, .where = where}, "id");
  };
  EXPECT_TRUE(
      SameValues(*kept("id >= 4998 AND id < 5002"), *ArrayOf(int64(), "[4998, 4999, 5000, 5001]")));
  EXPECT_TRUE(SameValues(*kept("id IN (0, 150, 9999)"), *ArrayOf(int64(), "[0, 150, 9999]")));
  EXPECT_TRUE(SameValues(*kept("name IS NULL AND id < 21"), *ArrayOf(int64(), "[0, 10, 20]")));
  EXPECT_TRUE(SameValues(*kept("name = '3' AND id > 9990"), *ArrayOf(int64(), "[9992, 9999]")));
  EXPECT_EQ(Read({.paths = {path}, .where = "id > 10000"}).ValueOrDie()->num_rows(), 0);
  EXPECT_EQ(Read({.paths = {path}, .where = "id != 7"}).ValueOrDie()->num_rows(), 9'999);
}

TEST_F(Files, BatchesHaveAtMostTheRowsAskedFor) {
  const auto ids = ArrayOf(int64(), "[1, 2, 3, 4, 5, 6, 7]");
  const auto path = WriteParquet("a.parquet", BatchOf({{"id", ids}}));
  const auto source = OpenFiles({.paths = {path}, .batch_rows = 3}).ValueOrDie();
  std::vector<int64_t> sizes;
  for (const auto& batch : source.reader->ToRecordBatches().ValueOrDie()) {
    sizes.push_back(batch->num_rows());
  }
  EXPECT_EQ(sizes, (std::vector<int64_t>{3, 3, 1}));
}

TEST_F(Files, BrokenFiles) {
  const auto data = ErrorKind::kDataInvalid;
  const auto empty = WriteText("empty.parquet", "");
  EXPECT_TRUE(Fails(ReadStatus({.paths = {empty}}), data, {"empty.parquet", "is empty"}));
  EXPECT_EQ(ExitCodeOf(ReadStatus({.paths = {empty}})), 3);
  for (const auto& whole :
       {WriteParquet("whole.parquet", Sample()), WriteArrow("whole.arrow", Sample(), false),
        WriteArrow("whole.arrows", Sample(), true)}) {
    SCOPED_TRACE(whole);
    const auto size = std::filesystem::file_size(whole);
    for (const auto left : {size - 20, size / 2, uintmax_t{6}}) {
      std::filesystem::resize_file(whole, left);
      const Status status = ReadStatus({.paths = {whole}});
      EXPECT_FALSE(status.ok()) << left;
      EXPECT_EQ(ExitCodeOf(status), 3) << status.ToString();
      EXPECT_NE(status.message().find(whole), std::string::npos) << status.message();
    }
  }
  const auto text = WriteText("not.parquet", "id,name\n1,2\n");
  EXPECT_TRUE(Fails(ReadStatus({.paths = {text}}), data, {"cannot be read as parquet"}));
  const auto ragged = WriteText("ragged.csv", "a,b\n1,2\n3\n");
  EXPECT_TRUE(Fails(ReadStatus({.paths = {ragged}}), data, {"ragged.csv"}));
}

TEST_F(Files, TwoColumnsOfOneName) {
  const auto path = WriteText("twice.csv", "a,a\n1,2\n");
  EXPECT_TRUE(Fails(ReadStatus({.paths = {path}}), ErrorKind::kSchemaMismatch,
                    {"twice.csv", "two columns 'a'"}));
}

TEST(FileFormats, NamesThereAndBack) {
  for (const auto format :
       {FileFormat::kParquet, FileFormat::kArrow, FileFormat::kCsv, FileFormat::kJsonLines}) {
    EXPECT_EQ(ParseFileFormat(ToString(format)).ValueOrDie(), format);
  }
  EXPECT_TRUE(Fails(ParseFileFormat("xml").status(), ErrorKind::kConfigInvalid,
                    {"'xml'", "parquet, arrow, csv, jsonl"}));
}

}  // namespace
}  // namespace amp
