// Value for value: what went in, and what delta-rs, polars and DuckDB find in the Delta table.

#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include "amp/source.h"
#include "conformance/delta_stream_fixture.h"
#include "interop/real_files.h"
#include "loaders/delta/protocol/type_plan.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

class DeltaValues : public DeltaStreamFixture {
 protected:
  /// All three readers find the file's rows in the table.
  void ExpectEqual(const std::string& file,
                   const std::string& readers = "deltalake,polars,duckdb") {
    const auto compared = RunPython("compare_delta.py", {file, Table(), readers});
    ASSERT_TRUE(compared.ok()) << compared.status().ToString();
    std::printf("%s", compared->c_str());
  }
  void LoadAndCompare(const std::string& file, ConfigMap config = {},
                      const std::string& readers = "deltalake,polars,duckdb") {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make(std::move(config)));
    AMP_ASSERT_OK_AND_ASSIGN(const FileSource source, OpenFiles({.paths = {file}}));
    AMP_ASSERT_OK(loader->LoadStream(source.reader, "t").status);
    ExpectEqual(file, readers);
    AMP_ASSERT_OK_AND_ASSIGN(const auto reader, loader->ReadTable("t"));
    AMP_ASSERT_OK_AND_ASSIGN(const auto back, reader->ToTable());
    EXPECT_EQ(back->num_rows(), ReadParquet(file)->num_rows());
  }
  std::string WriteParquet(const arrow::Table& table) {
    const std::string file = folder_.file("rows.parquet");
    auto out = *arrow::io::FileOutputStream::Open(file);
    const auto properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    EXPECT_TRUE(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out, 1 << 20,
                                           parquet::default_writer_properties(), properties)
                    .ok());
    EXPECT_TRUE(out->Close().ok());
    return file;
  }
};

class DeltaRealValues : public DeltaValues, public ::testing::WithParamInterface<std::string> {};

TEST_P(DeltaRealValues, OfARealFile) { LoadAndCompare(GetParam()); }

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DeltaRealValues);
INSTANTIATE_TEST_SUITE_P(Chain, DeltaRealValues, ::testing::ValuesIn(RealFiles()),
                         [](const auto& file) { return NameOf(file.param); });

TEST_F(DeltaValues, OfTheSampleChain) {
  AMP_ASSERT_OK(WriteSampleLogs({.seed = 7, .blocks = 50, .logs_per_block = 20},
                                folder_.file("logs.parquet")));
  LoadAndCompare(folder_.file("logs.parquet"));
}

// What Delta has no type for is left out: it is refused, or becomes a number or text.
TEST_F(DeltaValues, OfAllTypesThatDeltaHas) {
  const auto all = AllTypesBatch();
  arrow::FieldVector fields;
  arrow::ChunkedArrayVector columns;
  for (int i = 0; i < all->num_columns(); ++i) {
    const auto field = all->schema()->field(i);
    if (!delta::PlanColumns(*arrow::schema({field}), {}).ok()) continue;
    // DuckDB has no null type, pyarrow no text for these.
    fields.push_back(field);
    columns.push_back(std::make_shared<arrow::ChunkedArray>(all->column(i)));
  }
  ASSERT_GT(fields.size(), 15U);
  const auto table = arrow::Table::Make(arrow::schema(fields), columns);
  LoadAndCompare(WriteParquet(*table));
}

// Polars takes the names of partition columns from folders, and does not decode them.
TEST_F(DeltaValues, OfPartitionsWithSpecialNamesAndNulls) {
  for (const auto& [name, readers] : {std::pair("kind", "deltalake,polars,duckdb"),
                                      std::pair("a b=/%'\"ä", "deltalake,duckdb")}) {
    const auto schema =
        arrow::schema({arrow::field(name, arrow::utf8()), arrow::field("day", arrow::date32()),
                       arrow::field("SELECT", arrow::int64())});
    AMP_ASSERT_OK_AND_ASSIGN(
        const auto rows,
        BatchFromJson(schema, R"([["x/y=z %41",19000,1],["ä\"'",19000,2],[null,19001,3],)"
                              R"([" ",null,4],["x/y=z %41",19001,5]])"));
    AMP_ASSERT_OK_AND_ASSIGN(const auto table, arrow::Table::FromRecordBatches({rows}));
    LoadAndCompare(WriteParquet(*table),
                   {{"partition_by", {.value = ConfigValue::List{name, "day"}}}}, readers);
    std::filesystem::remove_all(Table());
  }
}

TEST_F(DeltaValues, OfTablesThatWereUndoneAndCheckpointed) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  arrow::RecordBatchVector kept;
  for (int64_t id = 1; id <= 25; ++id) {
    const std::vector<Pair> rows{{id, "x"}, {-id, ""}};
    AMP_ASSERT_OK(CommitBatch(loader.get(), &state, id, rows));
    if (id <= 12) kept.push_back(Batch(id, rows));
  }
  AMP_ASSERT_OK(CommitUndo(loader.get(), &state, 12));
  AMP_ASSERT_OK(loader->Disconnect());  // ends its housekeeping
  EXPECT_TRUE(std::filesystem::exists(Table() + "/_delta_log/_last_checkpoint"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto table, arrow::Table::FromRecordBatches(kept));
  ExpectEqual(WriteParquet(*table));
}

TEST_F(DeltaValues, OfATableWithoutRows) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(const auto table,
                           arrow::Table::FromRecordBatches(Schema(), arrow::RecordBatchVector()));
  ExpectEqual(WriteParquet(*table));
}

// A table that delta-rs made, with partitions and checkpoints, goes on as ours and stays theirs.
TEST_F(DeltaValues, OfATableOfDeltaRsThatIsAppendedToAndUndone) {
  AMP_ASSERT_OK(Delta("create", {{"rows", {{"k", {1, 2}}, {"v", {"a", nullptr}}}},
                                 {"partition_by", {"v"}},
                                 {"properties", {{"delta.checkpointInterval", "3"}}}}));
  AMP_ASSERT_OK(Delta("checkpoint"));
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  StreamSpec spec = Spec();
  spec.adopt = true;
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(spec));
  for (int64_t id = 1; id <= 8; ++id) {
    AMP_ASSERT_OK(CommitBatch(loader.get(), &state, id, {{id, "a"}, {id, "ö/="}}));
  }
  AMP_ASSERT_OK(Delta("checkpoint"));
  AMP_ASSERT_OK(CommitUndo(loader.get(), &state, 2));
  EXPECT_EQ(Rows(), (Lines{"1 a 1", "1 a null", "1 ö/= 1", "2 a 2", "2 null null", "2 ö/= 2"}));
  AMP_ASSERT_OK(loader->Disconnect());
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto rows,
      BatchFromJson(Schema(), R"([[1,"a",1],[1,"a",null],[1,"ö/=",1],[2,"a",2],[2,null,null],)"
                              R"([2,"ö/=",2]])"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto table, arrow::Table::FromRecordBatches({rows}));
  ExpectEqual(WriteParquet(*table));
}

}  // namespace
}  // namespace amp::testing
