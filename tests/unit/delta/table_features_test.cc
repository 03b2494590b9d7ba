#include "loaders/delta/protocol/table_features.h"

#include <arrow/type.h>

#include "amp/testing/asserts.h"
#include "loaders/delta/protocol/table_properties.h"

namespace amp::delta {
namespace {

Metadata With(const std::string& column_metadata, StringMap configuration = {}) {
  return {.id = "x",
          .schema_string = R"({"type":"struct","fields":[{"name":"a","type":"integer",)"
                           R"("nullable":true,"metadata":)" +
                           column_metadata + "}]}",
          .configuration = std::move(configuration)};
}

Protocol Features(Strings reader, Strings writer) { return {3, 7, reader, writer}; }

TEST(DeltaFeatures, OldVersionsBindOnlyWhereTheirFeaturesAreUsed) {
  const Protocol oldest{1, 1};
  const Protocol all{2, 6};
  AMP_EXPECT_ERROR(CheckWritable(all, With(R"({"delta.invariants":"{\"expression\":{}}"})")),
                   ErrorKind::kUnsupported, "invariants (column 'a')");
  AMP_EXPECT_ERROR(CheckWritable(all, With("{}", {{"delta.constraints.c", "a > 3"}})),
                   ErrorKind::kUnsupported, "checkConstraints ('delta.constraints.c')");
  AMP_EXPECT_ERROR(CheckWritable(all, With(R"({"delta.generationExpression":"1"})")),
                   ErrorKind::kUnsupported, "generatedColumns");
  AMP_EXPECT_ERROR(CheckWritable(all, With(R"({"delta.identity.start":1})")),
                   ErrorKind::kUnsupported, "identityColumns");
  AMP_ASSERT_OK(CheckWritable(all, With("{}")));
  AMP_ASSERT_OK(CheckWritable(oldest, With(R"({"delta.generationExpression":"1"})")));
}

TEST(DeltaFeatures, AreRefusedByName) {
  const Metadata plain = With("{}");
  AMP_ASSERT_OK(CheckWritable(
      Features(
          {"columnMapping", "deletionVectors", "timestampNtz", "v2Checkpoint"},
          {"appendOnly", "invariants", "changeDataFeed", "columnMapping", "deletionVectors",
           "timestampNtz", "domainMetadata", "clustering", "inCommitTimestamp", "v2Checkpoint"}),
      plain));
  const Protocol future = Features({"columnMapping", "futureThing"}, {"futureThing"});
  AMP_EXPECT_ERROR(CheckReadable(future, plain), ErrorKind::kUnsupported, "futureThing");
  const Protocol tracked = Features({}, {"rowTracking", "nobodyKnows"});
  AMP_ASSERT_OK(CheckReadable(tracked, plain));
  AMP_EXPECT_ERROR(CheckWritable(tracked, plain), ErrorKind::kUnsupported,
                   "rowTracking, nobodyKnows");
  AMP_EXPECT_ERROR(CheckReadable(Features({"catalogManaged"}, {"catalogManaged"}), plain),
                   ErrorKind::kUnsupported, "catalogManaged");
  AMP_EXPECT_ERROR(CheckReadable({4, 7, Strings{}, Strings{}}, plain), ErrorKind::kUnsupported,
                   "reader version 4");
  AMP_EXPECT_ERROR(CheckWritable({1, 8}, plain), ErrorKind::kUnsupported, "writer version 8");
}

TEST(DeltaFeatures, NewTablesGetTheLeastProtocol) {
  EXPECT_EQ(ProtocolFor(*arrow::schema({arrow::field("a", arrow::int32())})), (Protocol{1, 2}));
  const auto ntz = arrow::timestamp(arrow::TimeUnit::MICRO);
  EXPECT_EQ(ProtocolFor(*arrow::schema({arrow::field("a", arrow::list(ntz))})),
            Features({"timestampNtz"}, {"timestampNtz"}));
}

TEST(DeltaFeatures, AddingOneKeepsWhatTheOldVersionImplied) {
  EXPECT_EQ(WithFeature({1, 2}, "timestampNtz"),
            Features({"timestampNtz"}, {"appendOnly", "invariants", "timestampNtz"}));
  EXPECT_EQ(WithFeature({2, 5}, "timestampNtz").reader_features,
            (Strings{"columnMapping", "timestampNtz"}));
  const Protocol has = Features({"timestampNtz"}, {"timestampNtz"});
  EXPECT_EQ(WithFeature(has, "timestampNtz"), has);
  EXPECT_EQ(WithFeature({1, 2}, "domainMetadata").min_reader_version, 1);
}

TEST(DeltaProperties, AreReadOrHaveTheirDefault) {
  const TableProperties defaults = PropertiesOf({});
  EXPECT_EQ(defaults.checkpoint_interval, 10);
  EXPECT_EQ(defaults.deleted_file_retention_ms, int64_t{7} * 86'400'000);
  const TableProperties read =
      PropertiesOf({.configuration = {{"delta.appendOnly", "TRUE"},
                                      {"delta.checkpointInterval", "100"},
                                      {"delta.logRetentionDuration", "interval 2 days"},
                                      {"delta.deletedFileRetentionDuration", "nonsense"},
                                      {"delta.dataSkippingStatsColumns", "a, b.c"},
                                      {"delta.dataSkippingNumIndexedCols", "-1"},
                                      {"delta.checkpointPolicy", "v2"},
                                      {"delta.isolationLevel", "WriteSerializable"}}});
  EXPECT_TRUE(read.append_only);
  EXPECT_EQ(read.checkpoint_interval, 100);
  EXPECT_EQ(read.log_retention_ms, int64_t{2} * 86'400'000);
  EXPECT_EQ(read.deleted_file_retention_ms, int64_t{7} * 86'400'000);
  EXPECT_EQ(read.data_skipping_stats_columns, (Strings{"a", "b.c"}));
  EXPECT_EQ(read.data_skipping_num_indexed_cols, -1);
  EXPECT_TRUE(read.checkpoint_v2);
  EXPECT_FALSE(read.serializable);
}

TEST(DeltaProperties, IntervalsHaveUnits) {
  EXPECT_EQ(ParseInterval("interval 30 days"), int64_t{30} * 86'400'000);
  EXPECT_EQ(ParseInterval("INTERVAL 1 week 2 hours"), 604'800'000 + 7'200'000);
  EXPECT_EQ(ParseInterval("10 seconds"), 10'000);
  EXPECT_EQ(ParseInterval("interval 1 month"), std::nullopt);
  EXPECT_EQ(ParseInterval("interval"), std::nullopt);
  EXPECT_EQ(ParseInterval("interval 99999999999999999999 days"), std::nullopt);
  EXPECT_EQ(ParseInterval("interval -1 days"), std::nullopt);
}

}  // namespace
}  // namespace amp::delta
