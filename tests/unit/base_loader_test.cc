// What the base class makes of a loader that gives only LoadBatchImpl.

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"

namespace amp {
namespace {

using testing::SampleBatch;
using testing::SampleTable;

struct ListConfig {
  std::string name;
  bool broken = false;
  static constexpr auto Fields() {
    return std::make_tuple(Field("name", &ListConfig::name, "A name").Required(),
                           Field("broken", &ListConfig::broken, "Cannot connect"));
  }
};

/// Keeps ids in a list. Negative ids cannot be stored; id 1,000,000 breaks the connection.
class ListLoader final : public DataLoader<ListLoader, ListConfig> {
 public:
  static constexpr LoaderTraits kTraits{.name = "unit_list",
                                        .aliases = {"unit_vector"},
                                        .modes = {kAppend, kOverwrite},
                                        .row_errors = true};
  using DataLoader::DataLoader;

  std::vector<int64_t> ids;
  int created = 0;
  int cleared = 0;

 protected:
  Status ConnectImpl() override {
    if (!config().broken) return Status::OK();
    return MakeError({.kind = ErrorKind::kUnavailable, .retryable = true}, "no list there");
  }
  Status DisconnectImpl() override { return Status::OK(); }
  Status CreateTableFromSchema(const WriteSpec&) override {
    ++created;
    return Status::OK();
  }
  Status ClearTable(const TableName&) override {
    ++cleared;
    ids.clear();
    return Status::OK();
  }
  Result<int64_t> LoadBatchImpl(const RecordBatch& batch, const TableName&,
                                LoadOptions& options) override {
    const auto& column = static_cast<const arrow::Int64Array&>(*batch.column(0));
    int64_t stored = 0;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const int64_t id = column.Value(row);
      if (id == 1'000'000) return MakeError(ErrorKind::kUnavailable, "the list is gone");
      if (id < 0) {
        ARROW_RETURN_NOT_OK(options.row_errors.Add(row, "negative"));
        continue;
      }
      ids.push_back(id);
      ++stored;
    }
    return stored;
  }
  Metadata BatchMetadata(const RecordBatch&, double) const override {
    return {{"list", config().name}};
  }
};

class BaseLoader : public ::testing::Test {
 protected:
  void SetUp() override { AMP_ASSERT_OK(loader_.Connect()); }
  static std::shared_ptr<RecordBatch> Ids(const std::vector<int64_t>& ids) {
    arrow::Int64Builder builder;
    EXPECT_TRUE(builder.AppendValues(ids).ok());
    return RecordBatch::Make(arrow::schema({arrow::field("id", arrow::int64())}),
                             static_cast<int64_t>(ids.size()), {*builder.Finish()});
  }
  ListLoader loader_{ListConfig{.name = "mine"}};
};

TEST_F(BaseLoader, DerivingRegisters) {
  AMP_ASSERT_OK_AND_ASSIGN(const LoaderEntry* entry, Registry::Global().Find("unit_vector"));
  EXPECT_EQ(entry->traits->name, "unit_list");
  AMP_ASSERT_OK_AND_ASSIGN(const auto made,
                           Registry::Global().Make("unit_list", {{"name", {std::string("x")}}}));
  EXPECT_EQ(made->DescribeConfig(), "name=x");
  AMP_EXPECT_ERROR(Registry::Global().Make("unit_list", {}), ErrorKind::kConfigInvalid,
                   "'name' is missing");
  AMP_EXPECT_ERROR(ListLoader::Make(ListConfig{}), ErrorKind::kConfigInvalid, "'name' is missing");
}

TEST_F(BaseLoader, BatchIsBeginWriteCommit) {
  const LoadResult result = loader_.LoadBatch(*Ids({1, 2}), "t");
  AMP_ASSERT_OK(result.status);
  EXPECT_EQ(loader_.ids, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(loader_.created, 1);
  EXPECT_EQ(loader_.cleared, 0);
  EXPECT_EQ(*result.metadata.Find("list"), Metadata::Value(std::string("mine")));
}

TEST_F(BaseLoader, OverwriteClearsOnceForAllBatches) {
  AMP_ASSERT_OK(loader_.LoadBatch(*Ids({9}), "t").status);
  AMP_ASSERT_OK(
      loader_.LoadTable(*SampleTable(2500, 1000), "t", {.mode = LoadMode::kOverwrite}).status);
  EXPECT_EQ(loader_.cleared, 1);
  EXPECT_EQ(loader_.ids.size(), 2500U);
}

TEST_F(BaseLoader, OldVersionsAndMaintenanceAreRefusedByName) {
  AMP_EXPECT_ERROR(loader_.ReadTable("t", {.version = 1}), ErrorKind::kUnsupported,
                   "loader 'unit_list' cannot read old versions");
  AMP_EXPECT_ERROR(loader_.ReadTable("t", {.timestamp_ms = 1}), ErrorKind::kUnsupported,
                   "loader 'unit_list' cannot read old versions");
  AMP_EXPECT_ERROR(loader_.MaintainTable("t"), ErrorKind::kUnsupported,
                   "loader 'unit_list' cannot maintain tables");
  AMP_EXPECT_ERROR(loader_.MaintainTable(""), ErrorKind::kConfigInvalid, "empty");
}

TEST_F(BaseLoader, ATransactionCanBeDrivenByHand) {
  const WriteSpec spec{.table = "t", .schema = Ids({})->schema()};
  AMP_ASSERT_OK_AND_ASSIGN(const auto transaction, loader_.BeginTransaction(spec));
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t stored, transaction->Write({}, *Ids({5, -1, 6})));
  EXPECT_EQ(stored, 2);
  EXPECT_EQ(transaction->row_errors()->messages(), std::vector<std::string>{"row 1: negative"});
  AMP_EXPECT_ERROR(transaction->UndoAfter(3), ErrorKind::kUnsupported, "cannot undo");
  AMP_ASSERT_OK(transaction->Commit({}));
}

TEST_F(BaseLoader, SkippedRowsAreToldAndAreNoSuccess) {
  const LoadResult result = loader_.LoadBatch(*Ids({1, -2, 3}), "t");
  EXPECT_FALSE(result.success);
  EXPECT_EQ(result.rows_loaded, 2);
  EXPECT_EQ(ExitCodeOf(result.status), 5);
  EXPECT_EQ(*result.metadata.Find("rows_failed"), Metadata::Value(int64_t{1}));
  EXPECT_EQ(*result.metadata.Find("errors"),
            Metadata::Value(std::vector<std::string>{"row 1: negative"}));
  EXPECT_EQ(loader_.ids, (std::vector<int64_t>{1, 3}));
}

TEST_F(BaseLoader, NoRowAndErrorsIsAFailureThatShowsFive) {
  const LoadResult result = loader_.LoadBatch(*Ids(std::vector<int64_t>(8, -1)), "t");
  EXPECT_EQ(result.rows_loaded, 0);
  AMP_EXPECT_ERROR(result.status, ErrorKind::kDataInvalid, "no row could be stored");
  AMP_EXPECT_ERROR(result.status, ErrorKind::kDataInvalid, "row 4: negative; … and 3 more");
  EXPECT_EQ(result.error.find("row 5"), std::string::npos);
}

TEST_F(BaseLoader, MoreThanAHundredErrorsStopTheLoad) {
  std::vector<int64_t> ids(101, -1);
  ids.insert(ids.begin(), 7);
  ids.push_back(8);
  const LoadResult result = loader_.LoadBatch(*Ids(ids), "t");
  AMP_EXPECT_ERROR(result.status, ErrorKind::kDataInvalid, "more than 100 rows");
  EXPECT_EQ(loader_.ids, std::vector<int64_t>{7}) << "the row after them is not tried";
}

TEST_F(BaseLoader, WhatDoesNotFitIsRefusedBeforeAnythingIsDone) {
  AMP_EXPECT_ERROR(loader_.LoadBatch(*Ids({1}), "t", {.mode = LoadMode::kUpsert}).status,
                   ErrorKind::kConfigInvalid, "no mode 'upsert'; it has: append, overwrite");
  AMP_EXPECT_ERROR(loader_.LoadBatch(*Ids({1}), "").status, ErrorKind::kConfigInvalid, "empty");
  AMP_EXPECT_ERROR(loader_.LoadStream(nullptr, "t").status, ErrorKind::kConfigInvalid, "null");
  const auto twice =
      arrow::schema({arrow::field("a", arrow::int64()), arrow::field("a", arrow::int64())});
  AMP_EXPECT_ERROR(loader_.BeginTransaction({.table = "t", .schema = twice}),
                   ErrorKind::kSchemaMismatch, "'a' is there twice");
  AMP_EXPECT_ERROR(loader_.BeginTransaction({.table = "t", .schema = arrow::schema({})}),
                   ErrorKind::kSchemaMismatch, "no columns");
  AMP_EXPECT_ERROR(loader_.ReadTable("t"), ErrorKind::kUnsupported, "read tables back");
  EXPECT_EQ(loader_.created, 0);
}

/// Batches, then an error or the end.
class Reader final : public arrow::RecordBatchReader {
 public:
  Reader(arrow::RecordBatchVector batches, Status end)
      : batches_(std::move(batches)), end_(std::move(end)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return batches_[0]->schema(); }
  Status ReadNext(std::shared_ptr<RecordBatch>* out) override {
    *out = next_ < batches_.size() ? batches_[next_++] : nullptr;
    return *out == nullptr ? end_ : Status::OK();
  }

 private:
  arrow::RecordBatchVector batches_;
  Status end_;
  size_t next_ = 0;
};

TEST_F(BaseLoader, ErrorsSayFromWhichSideTheyCome) {
  const auto broken = std::make_shared<Reader>(arrow::RecordBatchVector{Ids({1})},
                                               Status::IOError("the file ends"));
  const LoadResult source = loader_.LoadStream(broken, "t");
  EXPECT_EQ(ExitCodeOf(source.status), 3) << source.error;
  const auto fine =
      std::make_shared<Reader>(arrow::RecordBatchVector{Ids({1'000'000})}, Status::OK());
  const LoadResult target = loader_.LoadStream(fine, "t");
  EXPECT_EQ(ExitCodeOf(target.status), 4) << target.error;
  EXPECT_EQ(target.rows_loaded, 0);
}

TEST_F(BaseLoader, ASchemaThatChangesOnTheWayIsRefused) {
  const auto reader =
      std::make_shared<Reader>(arrow::RecordBatchVector{Ids({1}), SampleBatch(1)}, Status::OK());
  AMP_EXPECT_ERROR(loader_.LoadStream(reader, "t").status, ErrorKind::kSchemaMismatch,
                   "changed between batches");
}

TEST_F(BaseLoader, BatchesAreCutByRowsAndByBytes) {
  LoadOptions options;
  options.pipeline.batch_rows = 400;
  std::vector<int64_t> rows;
  options.on_progress = [&](const LoadProgress& progress) { rows.push_back(progress.rows); };
  AMP_ASSERT_OK(loader_.LoadTable(*SampleTable(1000, 1000), "t", options).status);
  EXPECT_EQ(rows, (std::vector<int64_t>{400, 800, 1000}));
  options.pipeline.batch_rows = 1'000'000;
  options.pipeline.batch_bytes = {4096};
  rows.clear();
  AMP_ASSERT_OK(loader_.LoadTable(*SampleTable(1000, 1000), "t", options).status);
  EXPECT_GT(rows.size(), 5U);
  EXPECT_EQ(rows.back(), 1000);
}

/// Counts how far reading has run ahead of writing.
class CountingReader final : public arrow::RecordBatchReader {
 public:
  std::shared_ptr<arrow::Schema> schema() const override { return SampleBatch(0)->schema(); }
  Status ReadNext(std::shared_ptr<RecordBatch>* out) override {
    *out = read < 500 ? SampleBatch(100) : nullptr;
    ++read;
    return Status::OK();
  }
  std::atomic<int64_t> read = 0;
};

TEST_F(BaseLoader, AFullQueueStopsTheReader) {
  const auto reader = std::make_shared<CountingReader>();
  LoadOptions options;
  options.pipeline.memory = {100'000};
  int64_t furthest = 0;
  options.on_progress = [&](const LoadProgress& progress) {
    furthest = std::max(furthest, reader->read - progress.batches);
  };
  AMP_ASSERT_OK(loader_.LoadStream(reader, "t", options).status);
  // A sample batch has 6 kB or so: some 16 fit, one is being read, one being written.
  EXPECT_LT(furthest, 30);
  EXPECT_EQ(loader_.ids.size(), 50'000U);
}

}  // namespace
}  // namespace amp
