// Value for value: what went in, and what libpq gives back in text mode. What a value's text must
// be is said here anew, from Arrow's scalars, without the encoders under test.

#include <nlohmann/json.hpp>

#include "amp/loader.h"
#include "amp/source.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "conformance/postgres_client.h"
#include "interop/real_files.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

std::string_view BytesOf(const arrow::Scalar& scalar) {
  return std::string_view(*static_cast<const arrow::BaseBinaryScalar&>(scalar).value);
}

// In jsonb: bytes as 0x hex, integers beyond 2^53 and decimals as text.
Json ExpectedJson(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return nullptr;
  switch (scalar.type->id()) {
    case arrow::Type::STRUCT: {
      Json json = Json::object();
      const auto& fields = static_cast<const arrow::StructScalar&>(scalar);
      for (int i = 0; i < scalar.type->num_fields(); ++i) {
        json[scalar.type->field(i)->name()] = ExpectedJson(*fields.value[static_cast<size_t>(i)]);
      }
      return json;
    }
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: {
      Json json = Json::array();
      const auto& items = *static_cast<const arrow::BaseListScalar&>(scalar).value;
      for (int64_t i = 0; i < items.length(); ++i)
        json.push_back(ExpectedJson(**items.GetScalar(i)));
      return json;
    }
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::BINARY:
      return "0x" + Hex(BytesOf(scalar));
    case arrow::Type::STRING:
      return std::string(BytesOf(scalar));
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanScalar&>(scalar).value;
    case arrow::Type::UINT64: {
      const uint64_t value = static_cast<const arrow::UInt64Scalar&>(scalar).value;
      return value > (uint64_t{1} << 53) ? Json(std::to_string(value)) : Json(value);
    }
    default:
      return Json::parse(scalar.ToString());
  }
}

std::string TimestampText(int64_t nanos) {
  const time_t seconds = nanos / 1'000'000'000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  std::string text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", utc.tm_year + 1900,
                                 utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  if (const int64_t micros = nanos % 1'000'000'000 / 1000) text += fmt::format(".{:06}", micros);
  return text + "+00";
}

std::optional<std::string> ExpectedText(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return std::nullopt;
  switch (scalar.type->id()) {
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::BINARY:
      return "\\x" + Hex(BytesOf(scalar));
    case arrow::Type::STRING:
      return std::string(BytesOf(scalar));
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanScalar&>(scalar).value ? "t" : "f";
    case arrow::Type::TIMESTAMP:
      return TimestampText(static_cast<const arrow::TimestampScalar&>(scalar).value);
    case arrow::Type::LIST: {
      std::vector<std::string> items;
      const auto& values = *static_cast<const arrow::BaseListScalar&>(scalar).value;
      for (int64_t i = 0; i < values.length(); ++i) {
        items.push_back("\"\\\\x" + Hex(BytesOf(**values.GetScalar(i))) + "\"");
      }
      return fmt::format("{{{}}}", fmt::join(items, ","));
    }
    default:
      return scalar.ToString();
  }
}

bool IsJson(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRUCT ||
         (type.id() == arrow::Type::LIST && type.field(0)->type()->num_fields() > 0);
}

// Rows come back in the order in which COPY stored them.
void ExpectTableHolds(PostgresClient* client, const std::string& name, const arrow::Table& table) {
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto rows,
      client->Query("SELECT * FROM " + PostgresClient::Quote(name) + " ORDER BY ctid"));
  ASSERT_EQ(static_cast<int64_t>(rows.size()), table.num_rows());
  for (const auto& field : table.schema()->fields()) {
    const auto column = table.GetColumnByName(field->name());
    for (int64_t row = 0; row < table.num_rows(); ++row) {
      AMP_ASSERT_OK_AND_ASSIGN(const auto scalar, column->GetScalar(row));
      const auto& found = rows[static_cast<size_t>(row)].at(field->name());
      if (IsJson(*field->type())) {
        const Json json = found ? Json::parse(*found) : Json();
        ASSERT_EQ(json, ExpectedJson(*scalar)) << field->name() << ", row " << row;
      } else {
        ASSERT_EQ(found, ExpectedText(*scalar)) << field->name() << ", row " << row;
      }
    }
  }
}

class PostgreSQLValues : public ::testing::TestWithParam<std::string> {
 protected:
  void Load(const std::string& path, const std::string& name) {
    AMP_ASSERT_OK_AND_ASSIGN(const std::string url, ServerUrl("postgresql"));
    AMP_ASSERT_OK_AND_ASSIGN(client_, PostgresClient::Connect(url));
    AMP_ASSERT_OK(client_->Query("DROP TABLE IF EXISTS " + PostgresClient::Quote(name)));
    AMP_ASSERT_OK_AND_ASSIGN(const FileSource source, OpenFiles({.paths = {path}}));
    AMP_ASSERT_OK_AND_ASSIGN(const auto loader, Registry::Global().MakeFromUrl(url));
    AMP_ASSERT_OK(loader->Connect());
    AMP_ASSERT_OK(loader->LoadStream(source.reader, name).status);
  }
  std::optional<PostgresClient> client_;
};

TEST_P(PostgreSQLValues, OfARealFile) {
  const std::string name = "values_" + NameOf(GetParam());
  Load(GetParam(), name);
  ExpectTableHolds(&*client_, name, *ReadParquet(GetParam()));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PostgreSQLValues);
INSTANTIATE_TEST_SUITE_P(Chain, PostgreSQLValues, ::testing::ValuesIn(RealFiles()),
                         [](const auto& file) { return NameOf(file.param); });

using PostgreSQLSampleValues = PostgreSQLValues;

TEST_F(PostgreSQLSampleValues, OfTheSampleChain) {
  const TemporaryFolder folder;
  AMP_ASSERT_OK(WriteSampleLogs({.seed = 7, .blocks = 50, .logs_per_block = 20},
                                folder.file("logs.parquet")));
  Load(folder.file("logs.parquet"), "values_sample");
  ExpectTableHolds(&*client_, "values_sample", *ReadParquet(folder.file("logs.parquet")));
}

// Every type that a table of PostgreSQL's can be made for goes in, and comes back as the same text
// that the server itself makes of the value written in SQL.
TEST_F(PostgreSQLSampleValues, OfEveryType) {
  AMP_ASSERT_OK_AND_ASSIGN(const std::string url, ServerUrl("postgresql"));
  AMP_ASSERT_OK_AND_ASSIGN(PostgresClient client, PostgresClient::Connect(url));
  AMP_ASSERT_OK(client.Query("DROP TABLE IF EXISTS all_types"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto loader, Registry::Global().MakeFromUrl(url));
  AMP_ASSERT_OK(loader->Connect());
  const auto batch = AllTypesBatch();
  AMP_ASSERT_OK(loader->LoadBatch(*batch, "all_types").status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, client.Query("SELECT * FROM all_types ORDER BY ctid"));
  ASSERT_EQ(rows.size(), 4U);
  const std::map<std::string, std::vector<std::string>> expected{
      {"bool", {"t", "f", "NULL", "t"}},
      {"int8", {"-128", "127", "NULL", "0"}},
      {"int64", {"-9223372036854775808", "9223372036854775807", "NULL", "0"}},
      {"uint32", {"0", "4294967295", "NULL", "1"}},
      {"uint64", {"0", "18446744073709551615", "NULL", "10000"}},
      {"float", {"-1.5", "3.4028235e+38", "NULL", "0"}},
      {"double", {"-1.5", "1.7976931348623157e+308", "NULL", "0.1"}},
      {"utf8", {"tab\tquote\"\\ newline\n", "", "NULL", "Ünïcödé 🦀"}},
      {"large_utf8", {"large", "", "NULL", "x"}},
      {"binary", {"\\x6279746573", "\\x", "NULL", "\\x78"}},
      {"fixed_size_binary", {"\\x616263", "\\x646566", "NULL", "\\x676869"}},
      {"date32", {"1970-01-01", "0001-01-01", "NULL", "2022-01-08"}},
      {"date64", {"1970-01-01", "1970-01-02", "NULL", "1969-12-31"}},
      {"month_interval", {"PT0S", "P1Y1M", "NULL", "P-1M"}},
      {"month_day_nano_interval", {"PT0S", "P1Y1M2DT0.000003S", "NULL", "P-1M-2DT-0.000003S"}},
      {"decimal256",
       {"123456789012345678901234567890123456789012345678901234567890.1234567891", "0.0000000000",
        "NULL", "-1.0000000001"}},
      {"large_list", {"{a,NULL}", "{}", "NULL", "{\"\"}"}},
      {"fixed_size_list", {"{1,2}", "{NULL,4}", "NULL", "{5,6}"}},
      {"struct",
       {R"({"x": 1, "tag": "a"})", R"({"x": null, "tag": ""})", "NULL",
        R"({"x": 2, "tag": null})"}},
  };
  size_t compared = 0;
  for (const auto& field : batch->schema()->fields()) {
    const auto known = expected.find(field->type()->name());
    if (known == expected.end()) continue;
    ++compared;
    for (size_t row = 0; row < rows.size(); ++row) {
      EXPECT_EQ(rows[row].at(field->name()).value_or("NULL"), known->second[row])
          << field->name() << ", row " << row;
    }
  }
  EXPECT_EQ(compared, expected.size());
}

TEST_F(PostgreSQLSampleValues, OfTimesInEveryUnit) {
  AMP_ASSERT_OK_AND_ASSIGN(const std::string url, ServerUrl("postgresql"));
  AMP_ASSERT_OK_AND_ASSIGN(PostgresClient client, PostgresClient::Connect(url));
  AMP_ASSERT_OK(client.Query("DROP TABLE IF EXISTS all_times"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto loader, Registry::Global().MakeFromUrl(url));
  AMP_ASSERT_OK(loader->Connect());
  using arrow::TimeUnit;
  const auto schema =
      arrow::schema({arrow::field("s", arrow::timestamp(TimeUnit::SECOND)),
                     arrow::field("ms", arrow::timestamp(TimeUnit::MILLI)),
                     arrow::field("us", arrow::timestamp(TimeUnit::MICRO, "UTC")),
                     arrow::field("ns", arrow::timestamp(TimeUnit::NANO, "Europe/Berlin")),
                     arrow::field("t32", arrow::time32(TimeUnit::MILLI)),
                     arrow::field("t64", arrow::time64(TimeUnit::NANO)),
                     arrow::field("d", arrow::duration(TimeUnit::MILLI))});
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto batch,
      BatchFromJson(schema, R"([{"s": -1, "ms": 1500, "us": -1, "ns": 1700000000123456000,
                                 "t32": 86399999, "t64": 1000, "d": -1500}])"));
  AMP_ASSERT_OK(loader->LoadBatch(*batch, "all_times").status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, client.Query("SELECT * FROM all_times"));
  EXPECT_EQ(rows[0].at("s"), "1969-12-31 23:59:59");
  EXPECT_EQ(rows[0].at("ms"), "1970-01-01 00:00:01.5");
  EXPECT_EQ(rows[0].at("us"), "1969-12-31 23:59:59.999999+00");
  EXPECT_EQ(rows[0].at("ns"), "2023-11-14 22:13:20.123456+00");
  EXPECT_EQ(rows[0].at("t32"), "23:59:59.999");
  EXPECT_EQ(rows[0].at("t64"), "00:00:00.000001");
  EXPECT_EQ(rows[0].at("d"), "PT-1.5S");
}

}  // namespace
}  // namespace amp::testing
