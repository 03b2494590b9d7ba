#pragma once

#include <arrow/type_fwd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amp/config.h"
#include "amp/error.h"
#include "amp/export.h"
#include "amp/load_result.h"
#include "amp/registry.h"
#include "amp/stream.h"
#include "amp/transaction.h"

/// Loaders: one class a storage system. See docs/architecture.md for how they hang together.
namespace amp {

using arrow::RecordBatch;

class ModeSet {
 public:
  constexpr ModeSet(std::initializer_list<LoadMode> modes) {
    for (LoadMode mode : modes) bits_ |= Bit(mode);
  }
  constexpr bool contains(LoadMode mode) const { return (bits_ & Bit(mode)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  static constexpr unsigned Bit(LoadMode mode) { return 1U << static_cast<unsigned>(mode); }
  unsigned bits_ = 0;
};

/// How a target makes rows and checkpoint one.
enum class Delivery {
  kAtomic,      ///< one transaction of the target holds both
  kIdempotent,  ///< rows above the checkpoint are undone at the next start
};

/// What a loader is and can do.
struct LoaderTraits {
  std::string_view name;                         ///< also the scheme of its URLs
  std::string_view summary = {};                 ///< one line for `ampload loaders`
  std::array<std::string_view, 2> aliases = {};  ///< other names, empty where unused
  std::string_view url_path = "path";            ///< the field that the path of a URL sets
  ModeSet modes = {LoadMode::kAppend};
  bool requires_schema_match = false;  ///< the table must have just the columns of the batch
  bool supports_transactions = false;  ///< a failed load leaves nothing behind
  bool row_errors = false;             ///< bad rows are skipped one by one, and reported
  Delivery delivery = Delivery::kAtomic;
  int max_writers = 0;    ///< how many transactions at once; 0: as many as you like
  bool versions = false;  ///< old versions of a table can be read, see `ReadOptions`
  /// The modes in which it takes streams and can undo their batches; empty: it takes none.
  ModeSet stream_modes = {};
  /// How long rows of a stream wait for their commit, unless the user says otherwise.
  std::chrono::milliseconds commit_interval{1000};
};

struct ColumnInfo {
  std::string name;
  std::string type;  ///< in the target's own words
  bool nullable = true;
};

struct AMP_EXPORT TableInfo {
  TableName table_name;
  int64_t row_count = 0;
  std::vector<ColumnInfo> columns;
  int64_t size_bytes = 0;
  Metadata extra;                         ///< what only this loader knows
  std::vector<StreamState> streams = {};  ///< filled by `Loader::GetTableInfo`

  /// One JSON object on one line.
  std::string ToJson() const;
};

/// How a column of the source will lie in the target.
struct ColumnPlan {
  std::string name;
  std::string source_type;
  std::string target_type;
  std::string note;  ///< empty where every value is held exactly; else what is checked
};

/// What a load would do to a table.
struct TablePlan {
  bool exists = false;
  std::vector<ColumnPlan> columns;
  std::vector<std::string> statements;  ///< what would be run to make or clear the table
};

struct LoadProgress {
  int64_t rows = 0;
  int64_t bytes = 0;  ///< of Arrow data
  int64_t batches = 0;
};

/// How batches are cut and how much of them may wait in memory.
struct AMP_EXPORT PipelineOptions {
  int64_t batch_rows = 32'768;
  ByteSize batch_bytes{int64_t{16} << 20};
  ByteSize memory{int64_t{64} << 20};

  // Of streams.
  int64_t commit_rows = 50'000;
  ByteSize commit_bytes{int64_t{64} << 20};
  std::optional<std::chrono::milliseconds> commit_interval;
  int64_t retention = 128;
  bool block_ranges = false;
  int retry_tries = 5;
  std::chrono::milliseconds retry_delay{2'000};
  std::chrono::milliseconds retry_max_delay{120'000};

  static constexpr auto Fields() {
    return std::make_tuple(
        Field("batch_rows", &PipelineOptions::batch_rows, "Most rows in one batch")
            .Between(1, int64_t{1} << 31),
        Field("batch_bytes", &PipelineOptions::batch_bytes, "Most Arrow bytes in one batch")
            .Between(1, int64_t{1} << 31),
        Field("memory", &PipelineOptions::memory,
              "Most bytes that are read and wait to be written; a full queue stops the reader")
            .Between(1, int64_t{1} << 40),
        Field("commit_rows", &PipelineOptions::commit_rows,
              "Streams: commit when so many rows wait for it")
            .Between(1, int64_t{1} << 40),
        Field("commit_bytes", &PipelineOptions::commit_bytes,
              "Streams: commit when so many Arrow bytes wait for it")
            .Between(1, int64_t{1} << 40),
        Field("commit_interval", &PipelineOptions::commit_interval,
              "Streams: commit when rows have waited so long; left out: as the target likes it")
            .Between(0, 86'400'000),
        Field("retention", &PipelineOptions::retention,
              "Streams: blocks below the newest one until a batch counts as final")
            .Between(0, int64_t{1} << 40),
        Field("block_ranges", &PipelineOptions::block_ranges,
              "Streams: add a column _amp_block_ranges (JSON) to the rows"),
        Field("retry_tries", &PipelineOptions::retry_tries,
              "Streams: tries in a row until a passing failure counts as one that stays")
            .Between(1, 1'000'000'000),
        Field("retry_delay", &PipelineOptions::retry_delay,
              "Streams: pause before the second try; it doubles from try to try")
            .Between(1, 86'400'000),
        Field("retry_max_delay", &PipelineOptions::retry_max_delay, "Streams: longest such pause")
            .Between(1, 86'400'000));
  }
};

struct LoadOptions {
  LoadMode mode = LoadMode::kAppend;
  std::vector<std::string> key = {};
  PipelineOptions pipeline = {};
  /// Called after each batch is written, on the writing thread.
  std::function<void(const LoadProgress&)> on_progress = {};
  /// Once true, the load stops at the next batch boundary, rolls back and reports Cancelled.
  const std::atomic<bool>* stop = nullptr;
  /// Filled by `LoadBatchImpl` of loaders with `LoaderTraits::row_errors`.
  RowErrors row_errors = {};
};

/// Something that happened to a stream.
struct StreamEvent {
  enum class Kind {
    kCommit,     ///< rows and checkpoint are in the target
    kReorg,      ///< a reorganisation was undone; it is stored with the next commit
    kRetry,      ///< something failed that may pass; tried again after `delay`
    kConnected,  ///< source and target are there
  };
  Kind kind = Kind::kCommit;
  std::string stream = {};
  int64_t rows = 0;                      ///< stored by this commit
  int64_t bytes = 0;                     ///< of Arrow data, the same
  Checkpoint checkpoint = {};            ///< of this commit; `entries` are the new lines only
  std::chrono::microseconds latency{0};  ///< how long the commit itself took
  int64_t queued_bytes = 0;              ///< read, and waiting to be written
  std::vector<BlockRange> orphaned = {};
  UndoReport undone = {};
  Status failure = {};
  std::chrono::milliseconds delay{0};
};

struct StreamOptions {
  std::string stream = "main";
  LoadMode mode = LoadMode::kAppend;
  std::vector<std::string> key = {};
  PipelineOptions pipeline = {};
  bool adopt = false;         ///< take a table that was not made for streams
  bool accept_query = false;  ///< go on although the query's text is another one
  /// Most blocks that a reorg may orphan; left out: `pipeline.retention`.
  std::optional<int64_t> max_undo = {};
  /// Write only blocks that so many others follow; 0: all.
  int64_t finality = 0;
  /// Ends when every network has come to this block.
  std::optional<uint64_t> until_block = {};
  /// Ends when nothing newer has come for `idle` after a watermark, or for 10 s after connecting.
  bool until_caught_up = false;
  std::chrono::milliseconds idle{2000};
  /// Called on the writing thread.
  std::function<void(const StreamEvent&)> on_event = {};
  /// One result a commit or reorg; false ends the stream after a commit.
  std::function<bool(const LoadResult&)> on_result = {};
  /// Once true, the stream ends after a commit of what is complete.
  const std::atomic<bool>* stop = nullptr;
};

struct ReadOptions {
  int64_t limit = -1;  ///< most rows; negative: all
  /// The table as it was: one of these at most, and only of loaders with `LoaderTraits::versions`.
  std::optional<int64_t> version = {};
  std::optional<int64_t> timestamp_ms = {};  ///< the newest version at this Unix time
};

struct MaintainOptions {
  /// What has been out of the table for less is kept; left out: as the table has it.
  std::optional<std::chrono::milliseconds> retention = {};
  bool force = false;    ///< also with a retention that is shorter than the table's
  bool dry_run = false;  ///< only says what would go
};

/// What maintaining a table has done, or would do.
struct AMP_EXPORT MaintainResult {
  TableName table_name;
  bool dry_run = false;
  std::vector<std::string> files = {};  ///< deleted ones, by their paths below the table's place
  int64_t bytes_deleted = 0;
  Metadata extra = {};  ///< what only this loader knows

  /// One JSON object on one line.
  std::string ToJson() const;
};

class Session;
class StreamSource;

/// A storage system, whatever it is: what the pipeline and the command hold.
///
/// LoadBatch, LoadTable and LoadStream may be called from several threads; where the target has one
/// writer they wait for each other.
class AMP_EXPORT Loader {
 public:
  using enum LoadMode;

  Loader() = default;
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  virtual ~Loader();

  virtual const LoaderTraits& traits() const = 0;
  /// The configuration without its secrets.
  virtual std::string DescribeConfig() const = 0;

  /// Connects and tests the connection; nothing happens when connected already.
  Status Connect();
  Status Disconnect();
  bool is_connected() const { return connected_; }
  /// Connects for as long as the session lives.
  Result<Session> Open();

  /// Each a commit of its own: all rows are stored, or none.
  LoadResult LoadBatch(const RecordBatch& batch, const TableName& table,
                       const LoadOptions& options = {});
  LoadResult LoadTable(const arrow::Table& rows, const TableName& table,
                       const LoadOptions& options = {});
  /// Reads ahead on a thread of its own while writing.
  LoadResult LoadStream(std::shared_ptr<arrow::RecordBatchReader> reader, const TableName& table,
                        const LoadOptions& options = {});

  /// Follows a stream: writes its batches, undoes what reorganisations orphan, and commits each
  /// checkpoint with its rows; begins where the last run's last commit ended. Passing failures of
  /// either side are tried again. The result counts what this run has committed; on failure too.
  LoadResult LoadStreamContinuous(StreamSource* source, const TableName& table,
                                  const StreamOptions& options = {});

  /// Checks the spec and opens a transaction on its table.
  Result<std::unique_ptr<Transaction>> BeginTransaction(const WriteSpec& spec);

  /// Makes this process the stream's only writer, in a commit of its own: the table and the stream
  /// are made where they are not there, and the epoch is raised. The `next_number` that comes back
  /// leaves out every number that an earlier writer may have used without committing it.
  ///
  /// Errors, with nothing written: SchemaMismatch for a table that was not made for streams (see
  /// `StreamSpec::adopt`) or has other columns; ConfigInvalid for a stream of another query, mode
  /// or key, or whose table is gone or is another one; Conflict when someone else has taken over.
  Result<StreamState> OpenStream(const StreamSpec& spec);
  /// All streams of a table, in the order of their slots; changes nothing.
  Result<std::vector<StreamState>> ReadStreams(const TableName& table);
  /// Drops the table's rows and the state of its streams. OK where there is nothing.
  Status ResetTable(const TableName& table);

  /// None where the table does not exist.
  Result<std::optional<TableInfo>> GetTableInfo(const TableName& table);
  /// The table's rows as Arrow. NotFound where there is no such table.
  Result<std::shared_ptr<arrow::RecordBatchReader>> ReadTable(const TableName& table,
                                                              const ReadOptions& options = {});
  /// What a load with this spec would do; changes nothing.
  Result<TablePlan> PlanTable(const WriteSpec& spec);
  /// Clears away what the table no longer needs, and makes it faster to read; its rows stay as they
  /// are. NotFound where there is no such table.
  Result<MaintainResult> MaintainTable(const TableName& table, const MaintainOptions& options = {});

 protected:
  virtual Status ConnectImpl() = 0;
  virtual Status DisconnectImpl() = 0;

  // A loader gives either BeginTransactionImpl, or LoadBatchImpl with CreateTableFromSchema and
  // ClearTable; the base makes the one from the other.
  virtual Result<std::unique_ptr<Transaction>> BeginTransactionImpl(const WriteSpec& spec);
  virtual Result<int64_t> LoadBatchImpl(const RecordBatch& batch, const TableName& table,
                                        LoadOptions& options);
  virtual Status CreateTableFromSchema(const WriteSpec& spec);
  virtual Status ClearTable(const TableName& table);

  // For loaders with `LoaderTraits::stream_modes`; core/stream_state.h has what they share.
  virtual Result<StreamState> OpenStreamImpl(const StreamSpec& spec);
  virtual Result<std::vector<StreamState>> ReadStreamsImpl(const TableName& table);
  virtual Status ResetTableImpl(const TableName& table);

  virtual Result<std::optional<TableInfo>> TableInfoImpl(const TableName& table);
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> ReadTableImpl(
      const TableName& table, const ReadOptions& options);
  virtual Result<TablePlan> PlanTableImpl(const WriteSpec& spec);
  virtual Result<MaintainResult> MaintainTableImpl(const TableName& table,
                                                   const MaintainOptions& options);

  /// Refuses a name that the target cannot hold. The base refuses empty names and `_amp_…`.
  virtual Status CheckTableName(const TableName& table) const;
  /// Facts that this loader adds to every result.
  virtual Metadata BatchMetadata(const RecordBatch& batch, double seconds) const;
  virtual Metadata TableMetadata(int64_t rows, int64_t batches, double seconds) const;

 private:
  friend class BatchTransaction;
  Status CheckReady(const TableName& table) const;
  Status CheckSpec(const WriteSpec& spec) const;
  Status CheckStreamSpec(const StreamSpec& spec) const;
  Status CheckReadOptions(const ReadOptions& options) const;
  LoadResult NewResult(const TableName& table, const LoadOptions& options) const;

  std::mutex connect_mutex_;
  std::atomic<bool> connected_ = false;
};

/// Keeps a loader connected; disconnects at the end of its scope.
class AMP_EXPORT Session {
 public:
  explicit Session(Loader* loader) : loader_(loader) {}
  Session(Session&& other) noexcept : loader_(std::exchange(other.loader_, nullptr)) {}
  Session& operator=(Session&&) = delete;
  ~Session();
  Loader* operator->() const { return loader_; }

 private:
  Loader* loader_;
};

/// The base of every loader. Deriving from it is registering with it: `Derived` needs a static
/// constexpr `LoaderTraits kTraits`, and inherits this class's constructor.
template <class Derived, class ConfigType>
class DataLoader : public Loader {
 public:
  using Config = ConfigType;

  explicit DataLoader(Config config) : config_(std::move(config)) {}

  /// A loader from named values; ConfigInvalid where they do not fit.
  static Result<std::unique_ptr<Loader>> Make(const ConfigMap& values) {
    ARROW_ASSIGN_OR_RAISE(Config config, ParseConfig<Config>(Derived::kTraits.name, values));
    return std::make_unique<Derived>(std::move(config));
  }
  /// A loader from a struct filled by hand; ConfigInvalid where a required field is missing.
  static Result<std::unique_ptr<Derived>> Make(Config config) {
    ARROW_RETURN_NOT_OK(CheckRequired(Derived::kTraits.name, FieldsOf<Config>(), &config));
    ARROW_RETURN_NOT_OK(ValidateConfig(config));
    return std::make_unique<Derived>(std::move(config));
  }

  const LoaderTraits& traits() const final { return Derived::kTraits; }
  std::string DescribeConfig() const final {
    const Config defaults{};
    return RedactedText(FieldsOf<Config>(), &config_, &defaults);
  }
  const Config& config() const { return config_; }

 private:
  // Mentioning `registered_` here makes the compiler create it, and so run Add, for every class
  // that derives.
  static inline const bool registered_ = Registry::Global().Add<Derived>();
  template <auto*>
  struct Force {};
  using ForceRegistration = Force<&registered_>;

  Config config_;
};

}  // namespace amp
