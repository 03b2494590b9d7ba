#include "loaders/lmdb/stream_open.h"

#include "core/schema.h"
#include "core/stream_state.h"
#include "loaders/lmdb/key_encoder.h"
#include "loaders/lmdb/stream_store.h"
#include "loaders/lmdb/table_format.h"
#include "loaders/lmdb/value_format.h"

namespace amp::lmdb {
namespace {

/// One opening, within one write transaction.
class Opening {
 public:
  Opening(const Txn* txn, MDB_dbi tables, MDB_dbi rows, StreamDatabases databases,
          const LMDBConfig& config, StreamSpec spec)
      : txn_(txn),
        tables_(tables),
        rows_(rows),
        store_(txn, databases, spec.table),
        config_(config),
        spec_(std::move(spec)) {}

  /// Everything is checked before anything is written.
  Result<StreamState> Run() {
    ARROW_ASSIGN_OR_RAISE(const auto known, ReadTableFormat(*txn_, tables_, spec_.table));
    ARROW_ASSIGN_OR_RAISE(auto stream, FindOrMake(known));
    ARROW_ASSIGN_OR_RAISE(TableFormat format, FitTable(known));
    ARROW_RETURN_NOT_OK(MakeKeys(format, spec_.table, /*next=*/0));
    ARROW_RETURN_NOT_OK(MakeValueWriter(format.value_format, *format.schema));
    if (format.id.empty()) format.id = NewTableId();
    if (!known || known->id != format.id || !known->schema->Equals(*format.schema)) {
      ARROW_RETURN_NOT_OK(WriteTableFormat(*txn_, tables_, spec_.table, format));
    }
    TakeOver(spec_, &stream.state);
    stream.table_id = format.id;
    ARROW_RETURN_NOT_OK(store_.Write(stream));
    ARROW_ASSIGN_OR_RAISE(stream.state.checkpoint.entries, store_.ReadBatches(stream.state.slot));
    return std::move(stream.state);
  }

 private:
  Result<StoredStream> FindOrMake(const std::optional<TableFormat>& known) const {
    ARROW_ASSIGN_OR_RAISE(auto stream, store_.Read(spec_.name));
    if (!stream) return MakeStream();
    if (!known || known->id != stream->table_id) return TableReplaced(spec_.table, spec_.name);
    ARROW_RETURN_NOT_OK(CheckStreamFits(spec_, stream->state));
    if (spec_.accept_query) stream->state.query = spec_.query;
    return *std::move(stream);
  }

  Result<StoredStream> MakeStream() const {
    if (spec_.held_epoch) return StreamGone(spec_.table, spec_.name);
    ARROW_ASSIGN_OR_RAISE(const auto others, store_.ReadAll());
    ARROW_ASSIGN_OR_RAISE(const int32_t slot,
                          SlotAfter(spec_.table, others.empty() ? -1 : others.back().state.slot));
    StoredStream stream{NewStreamState(spec_, slot), ""};
    ARROW_ASSIGN_OR_RAISE(stream.state.epoch, store_.EpochFloor());
    return stream;
  }

  /// The table's description as the stream needs it.
  Result<TableFormat> FitTable(std::optional<TableFormat> known) const {
    if (!known) ARROW_RETURN_NOT_OK(CheckEmpty(*txn_, rows_, spec_.table));
    if (known && known->schema->GetFieldIndex(std::string(kBatchIdColumn)) < 0) {
      if (!spec_.adopt) return NotMadeForStreams(spec_.table);
      known->schema = WithStreamColumns(*known->schema);
    }
    return ChooseFormat({.table = spec_.table,
                         .schema = spec_.schema,
                         .config = config_,
                         .key = spec_.key,
                         .mode = spec_.mode},
                        known);
  }

  // Behind the others: values that are there lack them at their end.
  std::shared_ptr<arrow::Schema> WithStreamColumns(const arrow::Schema& schema) const {
    arrow::FieldVector fields = schema.fields();
    for (const auto& field : spec_.schema->fields()) {
      if (IsStreamColumn(field->name())) fields.push_back(field->WithNullable(true));
    }
    return arrow::schema(std::move(fields));
  }

  const Txn* txn_;
  MDB_dbi tables_;
  MDB_dbi rows_;
  StreamStore store_;
  const LMDBConfig& config_;
  StreamSpec spec_;
};

// LMDB bounds keys, and those of the stream's databases start with the table's name.
Status CheckNames(const StreamSpec& spec) {
  const size_t rest = std::max(spec.name.size(), sizeof(uint64_t) + sizeof(uint32_t));
  if (spec.table.size() + 1 + rest <= kMaxKeyBytes) return Status::OK();
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("stream '{}…' of table '{}…': their names have {} bytes together; "
                               "LMDB allows {}, and {} for the table's",
                               spec.name.substr(0, 40), spec.table.substr(0, 40),
                               spec.table.size() + spec.name.size(), kMaxKeyBytes - 1,
                               kMaxKeyBytes - 1 - sizeof(uint64_t) - sizeof(uint32_t)));
}

}  // namespace

Result<StreamState> OpenStream(const std::shared_ptr<Environment>& environment,
                               const LMDBConfig& config, const StreamSpec& spec) {
  ARROW_RETURN_NOT_OK(CheckNames(spec));
  StreamSpec plain = spec;
  ARROW_ASSIGN_OR_RAISE(plain.schema, PlainSchema(*spec.schema));
  ARROW_ASSIGN_OR_RAISE(const auto tables, environment->Find(kTablesDatabase, /*create=*/true));
  ARROW_ASSIGN_OR_RAISE(const auto rows, environment->Find(spec.table, /*create=*/true));
  ARROW_ASSIGN_OR_RAISE(const auto databases,
                        StreamDatabases::Find(environment.get(), /*create=*/true));
  ARROW_ASSIGN_OR_RAISE(Txn txn, Txn::Begin(environment, /*read_only=*/false));
  ARROW_ASSIGN_OR_RAISE(StreamState state,
                        Opening(&txn, *tables, *rows, *databases, config, plain).Run());
  ARROW_RETURN_NOT_OK(txn.Commit());
  return state;
}

Status ResetTable(const std::shared_ptr<Environment>& environment, const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(const auto tables, environment->Find(kTablesDatabase, /*create=*/false));
  ARROW_ASSIGN_OR_RAISE(const auto rows, environment->Find(table, /*create=*/false));
  ARROW_ASSIGN_OR_RAISE(const auto databases,
                        StreamDatabases::Find(environment.get(), /*create=*/false));
  ARROW_ASSIGN_OR_RAISE(Txn txn, Txn::Begin(environment, /*read_only=*/false));
  bool described = false;
  if (tables) {
    ARROW_ASSIGN_OR_RAISE(described, EraseEntry(txn, *tables, table));
  }
  // Emptied, not removed: other processes may have it open.
  if (described && rows) {
    const int code = mdb_drop(txn.get(), *rows, /*del=*/0);
    if (code != 0) return LmdbError(code, "clearing the table", environment->path());
  }
  if (databases) ARROW_RETURN_NOT_OK(StreamStore(&txn, *databases, table).Clear());
  return txn.Commit();
}

}  // namespace amp::lmdb
