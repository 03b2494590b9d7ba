#include "loaders/delta/protocol/actions.h"

#include "amp/testing/asserts.h"
#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/paths.h"

// Log entries against literal bytes; the examples follow those of PROTOCOL.md.
namespace amp::delta {
namespace {

std::string Line(const Action& action) {
  std::string line;
  AppendAction(action, &line);
  return line;
}

Action Parsed(std::string_view line) {
  const auto actions = ParseActions(line, "x.json");
  EXPECT_TRUE(actions.ok()) << actions.status().ToString();
  EXPECT_EQ(actions->size(), 1U);
  return actions->at(0);
}

TEST(DeltaActions, AddHasTheBytesOfTheProtocol) {
  const Add add{.file = {.path = "date=2017-12-10/part 0.parquet"},
                .partition_values = {{"date", "2017-12-10"}, {"none", std::nullopt}},
                .size = 841454,
                .modification_time = 1512909768000,
                .stats = R"({"numRecords":1,"minValues":{"v":"a\"b"}})",
                .tags = {{"batch", "7"}}};
  EXPECT_EQ(Line(add),
            R"({"add":{"path":"date=2017-12-10/part%200.parquet","partitionValues":)"
            R"({"date":"2017-12-10","none":null},"size":841454,"modificationTime":1512909768000,)"
            R"("dataChange":true,"stats":"{\"numRecords\":1,\"minValues\":{\"v\":\"a\\\"b\"}}",)"
            R"("tags":{"batch":"7"}}})"
            "\n");
  EXPECT_EQ(std::get<Add>(Parsed(Line(add))), add);
}

TEST(DeltaActions, EveryActionComesBackAsItWas) {
  const DeletionVectorDescriptor vector{.storage_type = "u",
                                        .path_or_inline_dv = "ab^-aqEH.-t@S}K{vb[*k^",
                                        .offset = 4,
                                        .size_in_bytes = 40,
                                        .cardinality = 6,
                                        .max_row_index = 9};
  const Add add{.file = {.path = "a", .deletion_vector = vector},
                .data_change = false,
                .base_row_id = 4071,
                .default_row_commit_version = 41,
                .clustering_provider = "liquid"};
  const std::vector<Action> actions{
      CommitInfo{.in_commit_timestamp = 5,
                 .timestamp = 6,
                 .operation = "WRITE",
                 .operation_parameters = R"({"mode":"Append"})",
                 .operation_metrics = R"({"n":1})",
                 .read_version = 3,
                 .isolation_level = "Serializable",
                 .is_blind_append = true,
                 .engine_info = "ampload",
                 .txn_id = "t-1",
                 .others = {{"ampload", R"({"sequence":7})"}}},
      Protocol{3, 7, Strings{"timestampNtz"}, Strings{"timestampNtz", "appendOnly"}},
      Metadata{.id = "af23c9d7",
               .name = "n",
               .description = "d",
               .format_options = {{"o", "1"}},
               .schema_string = R"({"type":"struct","fields":[]})",
               .partition_columns = {"a", "b"},
               .created_time = 17,
               .configuration = {{"delta.appendOnly", "true"}}},
      Txn{"stream", 99, 100},
      add,
      RemoveOf(add, 1234),
      DomainMetadata{"delta.clustering", "{}", false},
      CheckpointMetadata{4},
      Sidecar{"a b.parquet", 7, 8},
      UnknownAction{"futureAction", R"({"a":[1,null]})"},
  };
  const auto read = ParseActions(SerializeActions(actions), "x.json");
  AMP_ASSERT_OK(read);
  EXPECT_EQ(*read, actions);
}

TEST(DeltaActions, CommitInfoIsWrittenFirst) {
  const std::vector<Action> actions{Txn{"a", 1}, CommitInfo{.in_commit_timestamp = 1}};
  EXPECT_EQ(SerializeActions(actions),
            "{\"commitInfo\":{\"inCommitTimestamp\":1}}\n"
            "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n");
}

TEST(DeltaActions, NullsAndUnknownFieldsOfOthersAreRead) {
  const auto add = std::get<Add>(
      Parsed(R"({"add":{"path":"p=a%2520b/x%3D1.parquet","partitionValues":{"p":"a b"},"size":1,)"
             R"("modificationTime":2,"dataChange":true,"stats":null,"tags":null,"new":{"x":1},)"
             R"("baseRowId":null,"deletionVector":null}})"));
  EXPECT_EQ(add.file.path, "p=a%20b/x=1.parquet");
  // Written back just as it was, although the encoding here would be another.
  EXPECT_EQ(add.file.text, "p=a%2520b/x%3D1.parquet");
  EXPECT_NE(Line(RemoveOf(add, 1)).find("x%3D1"), std::string::npos);
  EXPECT_FALSE(add.file.deletion_vector);
}

TEST(DeltaActions, CommitInfoMayHoldAnything) {
  const auto info = std::get<CommitInfo>(
      Parsed(R"({"commitInfo":{"timestamp":"late","operation":7,"readVersion":null}})"));
  EXPECT_EQ(info.others.size(), 3U);
  EXPECT_FALSE(info.timestamp);
}

TEST(DeltaActions, ErrorsNameFileAndLine) {
  const std::string good = "{\"txn\":{\"appId\":\"a\",\"version\":1}}\n\n";
  AMP_EXPECT_ERROR(ParseActions(good + "{\"txn\":", "7.json"), ErrorKind::kProtocol,
                   "7.json, line 3: this is no JSON object");
  AMP_EXPECT_ERROR(ParseActions(R"({"add":{"path":"a","size":"x"}})", "7.json"),
                   ErrorKind::kProtocol, "line 1: 'add': 'size' is not an integer");
  AMP_EXPECT_ERROR(ParseActions(R"({"add":{"size":1}})", "7.json"), ErrorKind::kProtocol,
                   "'path' is missing");
  AMP_EXPECT_ERROR(ParseActions(R"({"add":{"path":"a%2","size":1}})", "7.json"),
                   ErrorKind::kProtocol, "not URL-encoded");
  AMP_EXPECT_ERROR(ParseActions(R"({"add":{"path":"a\u0000b","size":1}})", "7.json"),
                   ErrorKind::kProtocol, "not URL-encoded");
  AMP_EXPECT_ERROR(ParseActions(R"({"add":[]})", "7.json"), ErrorKind::kProtocol, "no object");
}

TEST(DeltaActions, RowCountsComeFromTheStatisticsThemselves) {
  EXPECT_EQ(NumRecords(R"({"numRecords":12,"minValues":{}})"), 12);
  EXPECT_EQ(NumRecords(R"({"minValues":{"numRecords":3},"numRecords":4})"), 4);
  EXPECT_EQ(NumRecords(R"({"minValues":{"numRecords":3}})"), std::nullopt);
  EXPECT_EQ(NumRecords(R"({"numRecords":12)"), std::nullopt);
  EXPECT_EQ(NumRecords(""), std::nullopt);
}

TEST(DeltaPaths, AreEncodedAndDecoded) {
  for (const std::string path :
       {"a b/ö%=.parquet", "x", "s3://bucket/a b%", "file:///tmp/x y", "a:b/c", "p=#?&+"}) {
    AMP_ASSERT_OK_AND_ASSIGN(const std::string back, DecodePath(EncodePath(path)));
    EXPECT_EQ(back, path);
  }
  EXPECT_EQ(EncodePath("a b/ö%=:"), "a%20b/%C3%B6%25=%3A");
  EXPECT_EQ(EncodePath("s3://bucket/a b"), "s3://bucket/a%20b");
  EXPECT_TRUE(IsAbsolutePath("abfss://c@host/x"));
  EXPECT_FALSE(IsAbsolutePath("p=1:2/x"));
}

TEST(DeltaPaths, PartitionFoldersAreEscapedAsByHive) {
  EXPECT_EQ(PartitionFolder({"a/b", "c"}, {{"a/b", "x=1 y:2"}, {"c", std::nullopt}}),
            "a%2Fb=x%3D1 y%3A2/c=__HIVE_DEFAULT_PARTITION__");
  EXPECT_EQ(PartitionFolder({}, {}), "");
  // A value may be longer than a file's name: two of them still get folders of their own.
  const std::string one = PartitionFolder({"a"}, {{"a", std::string(300, 'x') + "1"}});
  const std::string two = PartitionFolder({"a"}, {{"a", std::string(300, 'x') + "2"}});
  EXPECT_LE(one.size(), 200U);
  EXPECT_NE(one, two);
}

}  // namespace
}  // namespace amp::delta
