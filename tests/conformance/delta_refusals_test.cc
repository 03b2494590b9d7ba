// Tables that are broken, or that this version does not write, and rows that a table does not hold:
// each is named, and nothing is written.

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "conformance/delta_stream_fixture.h"

namespace amp::testing {
namespace {

namespace fs = std::filesystem;

class DeltaRefusals : public DeltaStreamFixture {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(loader_, Make());
    AMP_ASSERT_OK(loader_->LoadBatch(*Plain(1), "t").status);
    AMP_ASSERT_OK(loader_->LoadBatch(*Plain(2), "t").status);
  }
  std::string DataFile() const {
    for (const auto& action : Actions(1)) {
      if (action.contains("add")) return action["add"]["path"];
    }
    return "none";
  }
  Status ReadAll() {
    const auto loader = Make();
    ARROW_RETURN_NOT_OK(loader.status());
    ARROW_ASSIGN_OR_RAISE(const auto reader, (*loader)->ReadTable("t"));
    return reader->ToTable().status();
  }
  static std::string Text(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  /// Loads and streams are refused so, by a loader that begins now; nothing is written.
  void ExpectRefused(ErrorKind kind, const std::string& text) {
    const int64_t before = Version();
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
    AMP_EXPECT_ERROR(loader->LoadBatch(*Plain(3), "t").status, kind, text);
    StreamSpec spec = Spec();
    spec.adopt = true;
    AMP_EXPECT_ERROR(loader->OpenStream(spec), kind, text);
    EXPECT_EQ(Version(), before);
  }
  /// Another writer's commit.
  void Append(const std::string& action) { Write(LogFile(Version() + 1), action + "\n"); }

  Loaded loader_;
};

TEST_F(DeltaRefusals, ADataFileThatIsGoneIsNamed) {
  const std::string file = DataFile();
  fs::remove(Table() + "/" + file);
  AMP_EXPECT_ERROR(ReadAll(), ErrorKind::kDataInvalid, file);
  Write(Table() + "/" + file, "PAR1 nonsense");
  AMP_EXPECT_ERROR(ReadAll(), ErrorKind::kDataInvalid, file);
  // Who does not need it is not kept from writing.
  AMP_ASSERT_OK(loader_->LoadBatch(*Plain(3), "t").status);
}

TEST_F(DeltaRefusals, AFileThatAnUndoMustReadIsNamed) {
  StreamSpec spec = Spec();
  spec.adopt = true;
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(spec));
  AMP_ASSERT_OK(CommitBatch(loader_.get(), &state, 1, {{1, "a"}}));
  AMP_ASSERT_OK(CommitBatch(loader_.get(), &state, 2, {{2, "b"}}));
  AMP_ASSERT_OK(Delta("compact"));
  std::string file;
  for (const auto& action : Actions(Version())) {
    if (action.contains("add")) file = action["add"]["path"];
  }
  fs::rename(Table() + "/" + file, Table() + "/away");
  AMP_EXPECT_ERROR(CommitUndo(loader_.get(), &state, 1), ErrorKind::kDataInvalid, file);
  fs::rename(Table() + "/away", Table() + "/" + file);
  AMP_ASSERT_OK(CommitUndo(loader_.get(), &state, 1));
  EXPECT_EQ(Rows(), (Lines{"1 a 1", "1 load null", "2 load null"}));
}

TEST_F(DeltaRefusals, ALogWithAHoleOrNonsenseIsNamed) {
  const std::string good = Text(LogFile(1));
  for (const char* broken : {"{", "[]", "\x01\x02", R"({"add":{"path":1}})", "{\"add\":{}}"}) {
    Write(LogFile(1), broken);
    ExpectRefused(ErrorKind::kProtocol, "00000000000000000001.json");
  }
  Write(LogFile(1), good);
  fs::rename(LogFile(0), Table() + "/away");
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_EXPECT_ERROR(loader->LoadBatch(*Plain(3), "t").status, ErrorKind::kProtocol,
                   "00000000000000000000.json is missing");
}

TEST_F(DeltaRefusals, FeaturesThatAreUnknownAreNamed) {
  Append(
      R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timeTravel9"],)"
      R"("writerFeatures":["timeTravel9"]}})");
  ExpectRefused(ErrorKind::kUnsupported, "timeTravel9");
  AMP_EXPECT_ERROR(ReadAll(), ErrorKind::kUnsupported, "timeTravel9");
  // The loader that was at work learns it as well.
  AMP_EXPECT_ERROR(loader_->LoadBatch(*Plain(3), "t").status, ErrorKind::kUnsupported,
                   "timeTravel9");
}

TEST_F(DeltaRefusals, APropertyThatIsTurnedOnMeanwhileIsObeyed) {
  AMP_ASSERT_OK_AND_ASSIGN(
      auto transaction, loader_->BeginTransaction(
                            {.table = "t", .schema = PlainSchema(), .mode = LoadMode::kOverwrite}));
  AMP_ASSERT_OK(transaction->Write({}, *Plain(3)).status());
  for (auto action : Actions(0)) {
    if (!action.contains("metaData")) continue;
    action["metaData"]["configuration"] = {{"delta.appendOnly", "true"}};
    Append(action.dump());
  }
  ASSERT_EQ(Version(), 2);
  AMP_EXPECT_ERROR(transaction->Commit({}), ErrorKind::kUnsupported, "delta.appendOnly");
  transaction.reset();
  EXPECT_EQ(Rows(), (Lines{"1 load", "2 load"}));
  AMP_ASSERT_OK(loader_->LoadBatch(*Plain(3), "t").status);
}

TEST_F(DeltaRefusals, TheTablesCodecIsTakenOrRefusedByName) {
  const auto with_codec = [&](const std::string& codec) {
    const std::string name = "properties.delta.parquet.compression.codec";
    return Make({{name, {.value = codec}}});
  };
  AMP_ASSERT_OK_AND_ASSIGN(auto zstd, with_codec("ZSTD"));
  AMP_ASSERT_OK(zstd->LoadBatch(*Plain(3), "zstd").status);
  // A later load, whose own configuration says nothing, finds it in the table.
  AMP_ASSERT_OK(loader_->LoadBatch(*Plain(4), "zstd").status);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder_.file("zstd"))) {
    const std::string file = entry.path().filename();
    if (!file.ends_with(".parquet")) continue;
    EXPECT_TRUE(file.ends_with(".zstd.parquet")) << file;
    ++files;
  }
  EXPECT_EQ(files, 2);
  AMP_ASSERT_OK_AND_ASSIGN(auto lzo, with_codec("lzo"));
  AMP_EXPECT_ERROR(lzo->LoadBatch(*Plain(3), "lzo").status, ErrorKind::kConfigInvalid, "'lzo'");
}

TEST_F(DeltaRefusals, WideDecimalsAreRefusedAndKeptAsText) {
  const auto schema = arrow::schema({arrow::field("wide", arrow::decimal256(60, 2))});
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, BatchFromJson(schema, R"([{"wide":"12345.67"}])"));
  const Status refused = loader_->LoadBatch(*rows, "wide").status;
  AMP_EXPECT_ERROR(refused, ErrorKind::kUnsupported, "'wide'");
  EXPECT_NE(refused.message().find("on_wide_decimal"), std::string::npos) << refused.message();
  EXPECT_EQ(ExitCodeOf(refused), 5);
  EXPECT_FALSE(fs::exists(folder_.file("wide/_delta_log")));
  AMP_ASSERT_OK_AND_ASSIGN(auto text, Make({{"on_wide_decimal", {.value = std::string("text")}}}));
  AMP_ASSERT_OK(text->LoadBatch(*rows, "wide").status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto read, ReadDelta(folder_.file("wide")));
  EXPECT_EQ(read->column(0)->GetScalar(0).ValueOrDie()->ToString(), "12345.67");
}

TEST_F(DeltaRefusals, ColumnsThatDoNotFitAreNamed) {
  const auto other =
      arrow::schema({arrow::field("k", arrow::utf8()), arrow::field("v", arrow::utf8())});
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, BatchFromJson(other, R"([{"k":"x","v":"y"}])"));
  AMP_EXPECT_ERROR(loader_->LoadBatch(*rows, "t").status, ErrorKind::kSchemaMismatch, "'k'");
  const auto more =
      arrow::schema({arrow::field("k", arrow::int64()), arrow::field("v", arrow::utf8()),
                     arrow::field("new", arrow::utf8())});
  AMP_ASSERT_OK_AND_ASSIGN(const auto wider, BatchFromJson(more, R"([{"k":1}])"));
  AMP_EXPECT_ERROR(loader_->LoadBatch(*wider, "t").status, ErrorKind::kSchemaMismatch, "'new'");
  EXPECT_EQ(Version(), 1);
}

}  // namespace
}  // namespace amp::testing
