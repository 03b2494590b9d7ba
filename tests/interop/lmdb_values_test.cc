// Value for value: what went in, and what LMDB's own interface and a MessagePack reader that is not
// ours (nlohmann's) find.

#include <nlohmann/json.hpp>

#include "amp/loader.h"
#include "amp/source.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "conformance/lmdb_client.h"
#include "interop/real_files.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

Json Bytes(const arrow::Scalar& scalar) {
  const std::string_view bytes(*static_cast<const arrow::BaseBinaryScalar&>(scalar).value);
  return Json::binary(std::vector<uint8_t>(bytes.begin(), bytes.end()));
}

// The documented form of a value, said here anew.
Json Expected(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return nullptr;
  switch (scalar.type->id()) {
    case arrow::Type::STRUCT: {
      Json fields = Json::array();
      for (const auto& field : static_cast<const arrow::StructScalar&>(scalar).value) {
        fields.push_back(Expected(*field));
      }
      return fields;
    }
    case arrow::Type::LIST: {
      Json items = Json::array();
      const auto& values = *static_cast<const arrow::BaseListScalar&>(scalar).value;
      for (int64_t i = 0; i < values.length(); ++i)
        items.push_back(Expected(**values.GetScalar(i)));
      return items;
    }
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::BINARY:
      return Bytes(scalar);
    case arrow::Type::DECIMAL128:
    case arrow::Type::STRING:
      return scalar.ToString();
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampScalar&>(scalar).value;
    default:
      return Json::parse(scalar.ToString());
  }
}

class LMDBValues : public ::testing::TestWithParam<std::string> {
 protected:
  void LoadAndCompare(const std::string& path) {
    const TemporaryFolder folder;
    AMP_ASSERT_OK_AND_ASSIGN(const FileSource source, OpenFiles({.paths = {path}}));
    AMP_ASSERT_OK_AND_ASSIGN(auto loader,
                             Registry::Global().MakeFromUrl("lmdb:" + folder.file("db")));
    AMP_ASSERT_OK(loader->Connect());
    AMP_ASSERT_OK(loader->LoadStream(source.reader, "t").status);
    const auto table = ReadParquet(path);
    {
      AMP_ASSERT_OK_AND_ASSIGN(const auto reader, loader->ReadTable("t"));
      AMP_ASSERT_OK_AND_ASSIGN(const auto back, reader->ToTable());
      EXPECT_TRUE(back->Equals(*table)) << "read back as Arrow";
    }
    loader.reset();
    AMP_ASSERT_OK_AND_ASSIGN(const auto entries, ReadLmdb(folder.file("db"), "t"));
    ASSERT_EQ(static_cast<int64_t>(entries.size()), table->num_rows());
    for (size_t row = 0; row < entries.size(); ++row) ExpectRow(entries[row].second, *table, row);
  }

  static void ExpectRow(const std::string& value, const arrow::Table& table, size_t row) {
    const Json found = Json::from_msgpack(value);
    ASSERT_EQ(found.size(), static_cast<size_t>(table.num_columns()));
    for (int i = 0; i < table.num_columns(); ++i) {
      AMP_ASSERT_OK_AND_ASSIGN(const auto scalar,
                               table.column(i)->GetScalar(static_cast<int64_t>(row)));
      ASSERT_EQ(found[static_cast<size_t>(i)], Expected(*scalar))
          << table.field(i)->name() << ", row " << row;
    }
  }
};

TEST_P(LMDBValues, OfARealFile) { LoadAndCompare(GetParam()); }

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LMDBValues);
INSTANTIATE_TEST_SUITE_P(Chain, LMDBValues, ::testing::ValuesIn(RealFiles()),
                         [](const auto& file) { return NameOf(file.param); });

using LMDBSampleValues = LMDBValues;

TEST_F(LMDBSampleValues, OfTheSampleChain) {
  const TemporaryFolder folder;
  AMP_ASSERT_OK(WriteSampleLogs({.seed = 7, .blocks = 50, .logs_per_block = 20},
                                folder.file("logs.parquet")));
  LoadAndCompare(folder.file("logs.parquet"));
}

}  // namespace
}  // namespace amp::testing
