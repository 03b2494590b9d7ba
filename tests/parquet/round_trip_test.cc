#include <arrow/compute/initialize.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/file_reader.h>

#include "parquet/written_files.h"

namespace amp::parquet_tests {
namespace {

using arrow::field;

Batch AllTypes() {
  const auto point = arrow::struct_({field("x", arrow::int32()), field("y", arrow::utf8())});
  const auto list = [](const std::shared_ptr<arrow::DataType>& type) {
    return arrow::list(field("element", type));
  };
  return BatchOf({
      {"bool", ArrayOf(arrow::boolean(), "[true, null, false, true, true]")},
      {"i8", ArrayOf(arrow::int8(), "[-128, null, 127, 0, 1]")},
      {"i16", ArrayOf(arrow::int16(), "[-32768, null, 32767, 0, 1]")},
      {"i32", ArrayOf(arrow::int32(), "[-2147483648, null, 2147483647, 0, 1]")},
      {"i64", ArrayOf(arrow::int64(), "[-9223372036854775808, null, 9223372036854775807, 0, 1]")},
      {"u8", ArrayOf(arrow::uint8(), "[0, null, 255, 1, 128]")},
      {"u16", ArrayOf(arrow::uint16(), "[0, null, 65535, 1, 32768]")},
      {"u32", ArrayOf(arrow::uint32(), "[0, null, 4294967295, 1, 2147483648]")},
      {"u64", ArrayOf(arrow::uint64(), "[0, null, 18446744073709551615, 1, 9223372036854775808]")},
      {"f32", ArrayOf(arrow::float32(), "[-1.5, null, NaN, -0.0, Inf]")},
      {"f64", ArrayOf(arrow::float64(), "[-1.5, null, NaN, -0.0, 1e300]")},
      {"text",
       ArrayOf(arrow::utf8(), R"(["", null, "ä\u0000b", "long enough to be no view", "z"])")},
      {"bytes", ArrayOf(arrow::binary(), R"(["", null, "abc", "a", "ab"])")},
      {"fixed", ArrayOf(arrow::fixed_size_binary(3), R"(["abc", null, "zzz", "aaa", "bcd"])")},
      {"date", ArrayOf(arrow::date32(), "[-719162, null, 0, 19000, 2932896]")},
      {"time_ms", ArrayOf(arrow::time32(arrow::TimeUnit::MILLI), "[0, null, 86399999, 1, 2]")},
      {"time_us", ArrayOf(arrow::time64(arrow::TimeUnit::MICRO), "[0, null, 86399999999, 1, 2]")},
      {"ts", ArrayOf(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[-1, null, 1, 0, 1600000]")},
      {"ts_ntz", ArrayOf(arrow::timestamp(arrow::TimeUnit::NANO), "[-1, null, 1, 0, 1600000]")},
      {"dec9",
       ArrayOf(arrow::decimal128(9, 2), R"(["-1.25", null, "1234567.89", "0.00", "0.01"])")},
      {"dec18",
       ArrayOf(arrow::decimal128(18, 3), R"(["-1.250", null, "9.999", "0.000", "0.001"])")},
      {"dec38", ArrayOf(arrow::decimal128(38, 1),
                        R"(["-1.2", null, "12345678901234567890.5", "0.0", "0.1"])")},
      {"list", ArrayOf(list(arrow::int32()), "[[1, null, 3], null, [], [4], [5, 6]]")},
      {"struct",
       ArrayOf(
           point,
           R"([{"x": 1, "y": "a"}, null, {"x": null, "y": "b"}, {"x": 4, "y": null}, {"x": 5, "y": "e"}])")},
      {"map", ArrayOf(arrow::map(arrow::utf8(), arrow::int64()),
                      R"([[["a", 1], ["b", null]], null, [], [["c", 3]], [["d", 4]]])")},
      {"deep",
       ArrayOf(
           list(arrow::struct_({field("p", point), field("l", list(arrow::utf8()))})),
           R"([[{"p": {"x": 1, "y": "q"}, "l": ["r", null]}, null], null, [], [{"p": null, "l": []}], [{"p": {"x": null, "y": null}, "l": null}]])")},
  });
}

class ParquetRoundTrip : public WrittenFiles {
 protected:
  void SetUp() override { AMP_ASSERT_OK(arrow::compute::Initialize()); }
};

TEST_F(ParquetRoundTrip, KeepsAllTypesInSmallFiles) {
  const Batch batch = AllTypes();
  Plan(batch->schema());
  AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll({batch}));
  ASSERT_EQ(files.size(), 1U);
  ExpectRows(files, {batch});
}

TEST_F(ParquetRoundTrip, KeepsAllTypesColumnByColumn) {
  const Batch batch = Repeated(AllTypes(), 150'000);
  for (const bool dictionary : {true, false}) {
    Plan(batch->schema(), {.row_group_rows = 40'000, .dictionary = dictionary});
    AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll({batch}));
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(files[0].row_group_offsets.size(), 4U);
    EXPECT_EQ(files[0].row_group_offsets[0], 4);
    ExpectRows(files, {batch});
  }
}

TEST_F(ParquetRoundTrip, TakesSlicesAndBatchesOfAnySize) {
  const Batch batch = Repeated(AllTypes(), 90'000);
  Plan(batch->schema());
  std::vector<Batch> slices;
  for (int64_t start = 0, step = 0; start < batch->num_rows(); start += step) {
    step = step < 300 ? step + 1 : 20'000;
    slices.push_back(batch->Slice(start, step));
    slices.push_back(batch->Slice(start, 0));
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll(slices));
  ExpectRows(files, {batch});
}

TEST_F(ParquetRoundTrip, WritesNoFileForNoRows) {
  const Batch batch = AllTypes();
  Plan(batch->schema());
  AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll({batch->Slice(0, 0)}));
  EXPECT_TRUE(files.empty());
  EXPECT_EQ(FilesOnDisk(), 0U);
}

TEST_F(ParquetRoundTrip, DecodesDictionaries) {
  const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  const Batch few = BatchOf({{"t", ArrayOf(type, R"(["a", "b", null, "a", "c"])")}});
  const Batch other = BatchOf({{"t", ArrayOf(type, R"(["z", "y", "z", null, "a"])")}});
  const Batch plain = BatchOf({{"t", ArrayOf(arrow::utf8(), R"(["p", "b", null, "a", "c"])")}});
  Plan(plain->schema());
  for (const int64_t rows : {int64_t{5}, int64_t{80'000}}) {
    std::vector<Batch> batches{Repeated(few, rows), Repeated(other, rows), Repeated(plain, rows)};
    AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll(batches));
    for (int i = 0; i < 2; ++i) {
      AMP_ASSERT_OK_AND_ASSIGN(
          auto decoded,
          arrow::compute::Cast(*batches[static_cast<size_t>(i)]->column(0), arrow::utf8()));
      batches[static_cast<size_t>(i)] = BatchOf({{"t", std::move(decoded)}});
    }
    ExpectRows(files, batches);
  }
}

TEST_F(ParquetRoundTrip, WritesWithEveryCodec) {
  const Batch batch = Numbered(0, 3000);
  for (const char* codec : {"none", "snappy", "lz4", "gzip", "gzip:9", "zstd", "zstd:7"}) {
    Plan(batch->schema(), {.compression = codec});
    AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll({batch}));
    ExpectRows(files, {batch});
  }
}

TEST_F(ParquetRoundTrip, WritesWhatOptionsAskFor) {
  for (const int64_t rows : {1000, 100'000}) {
    const Batch numbered = Numbered(0, rows);
    const auto id = arrow::key_value_metadata({"PARQUET:field_id"}, {"7"});
    const auto schema = arrow::schema(
        {numbered->schema()->field(0)->WithMetadata(id), numbered->schema()->field(1)});
    Plan(schema, {.no_dictionary = {"n"},
                  .no_statistics = {"t"},
                  .bloom_filters = {{.column = "t", .distinct_values = 1000}},
                  .page_index = true,
                  .metadata = {{"key", "value"}}});
    AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll({numbered}));
    AMP_ASSERT_OK_AND_ASSIGN(auto input, store_.Open(files[0].path));
    const auto reader = parquet::ParquetFileReader::Open(input);
    const auto footer = reader->metadata();
    EXPECT_EQ(*footer->key_value_metadata()->Get("key"), "value");
    EXPECT_EQ(footer->schema()->Column(0)->schema_node()->field_id(), 7);
    EXPECT_EQ(files[0].columns[0].field_id, 7);
    const auto group = footer->RowGroup(0);
    EXPECT_FALSE(group->ColumnChunk(0)->has_dictionary_page());
    EXPECT_TRUE(group->ColumnChunk(1)->has_dictionary_page());
    EXPECT_TRUE(group->ColumnChunk(0)->is_stats_set());
    EXPECT_FALSE(group->ColumnChunk(1)->is_stats_set());
    EXPECT_TRUE(group->ColumnChunk(1)->bloom_filter_offset().has_value());
    EXPECT_FALSE(group->ColumnChunk(0)->bloom_filter_offset().has_value());
    EXPECT_TRUE(group->ColumnChunk(0)->GetColumnIndexLocation().has_value());
    EXPECT_EQ(files[0].columns[1].null_count, -1);
    EXPECT_EQ(files[0].columns[1].min, nullptr);
    ExpectRows(files, {numbered});
  }
}

TEST_F(ParquetRoundTrip, RefusesOptionsThatMakeNoSense) {
  const auto schema = arrow::schema({field("b", arrow::boolean())});
  const auto expect = [&](const WriteOptions& options, const char* text) {
    AMP_EXPECT_ERROR(FilePlan::Make(schema, options), ErrorKind::kConfigInvalid, text);
  };
  expect({.compression = "lzo"}, "'lzo' is not known");
  expect({.compression = "snappy:1"}, "snappy takes no level");
  expect({.compression = "zstd:99"}, "'99' is no level");
  expect({.target_file_bytes = 0}, "target_file_size is 0");
  expect({.no_dictionary = {"x"}}, "no column 'x'");
  expect({.bloom_filters = {{.column = "b"}}}, "'b' is boolean");
}

TEST_F(ParquetRoundTrip, RefusesBatchesThatDoNotFit) {
  Plan(arrow::schema({field("n", arrow::int64(), /*nullable=*/false)}));
  const auto set = NewSet();
  AMP_EXPECT_ERROR(set->Write("g", BatchOf({{"n", ArrayOf(arrow::int32(), "[1]")}})),
                   ErrorKind::kSchemaMismatch, "n: int32");
  AMP_EXPECT_ERROR(set->Write("g", BatchOf({{"m", ArrayOf(arrow::int64(), "[1]")}})),
                   ErrorKind::kSchemaMismatch, "m: int64");
  AMP_EXPECT_ERROR(set->Write("g", BatchOf({{"n", ArrayOf(arrow::int64(), "[1, null]")}})),
                   ErrorKind::kDataInvalid, "'n' has nulls");
}

}  // namespace
}  // namespace amp::parquet_tests
