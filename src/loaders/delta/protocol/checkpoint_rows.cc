#include "loaders/delta/protocol/checkpoint_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace amp::delta {
namespace {

using arrow::field;

std::shared_ptr<arrow::DataType> TextMap() { return arrow::map(arrow::utf8(), arrow::utf8()); }
std::shared_ptr<arrow::DataType> TextList() {
  return arrow::list(arrow::field("element", arrow::utf8()));
}

std::shared_ptr<arrow::DataType> DeletionVectorType() {
  return arrow::struct_({field("storageType", arrow::utf8()),
                         field("pathOrInlineDv", arrow::utf8()), field("offset", arrow::int32()),
                         field("sizeInBytes", arrow::int32()),
                         field("cardinality", arrow::int64())});
}

// The order of the fields is the order in which the writers below append them.
std::shared_ptr<arrow::DataType> AddType() {
  return arrow::struct_({field("path", arrow::utf8()), field("partitionValues", TextMap()),
                         field("size", arrow::int64()), field("modificationTime", arrow::int64()),
                         field("dataChange", arrow::boolean()), field("stats", arrow::utf8()),
                         field("tags", TextMap()), field("deletionVector", DeletionVectorType()),
                         field("baseRowId", arrow::int64()),
                         field("defaultRowCommitVersion", arrow::int64()),
                         field("clusteringProvider", arrow::utf8())});
}

std::shared_ptr<arrow::DataType> RemoveType() {
  return arrow::struct_(
      {field("path", arrow::utf8()), field("deletionTimestamp", arrow::int64()),
       field("dataChange", arrow::boolean()), field("extendedFileMetadata", arrow::boolean()),
       field("partitionValues", TextMap()), field("size", arrow::int64()),
       field("deletionVector", DeletionVectorType()), field("baseRowId", arrow::int64()),
       field("defaultRowCommitVersion", arrow::int64())});
}

std::shared_ptr<arrow::DataType> MetadataType() {
  const auto format =
      arrow::struct_({field("provider", arrow::utf8()), field("options", TextMap())});
  return arrow::struct_({field("id", arrow::utf8()), field("name", arrow::utf8()),
                         field("description", arrow::utf8()), field("format", format),
                         field("schemaString", arrow::utf8()),
                         field("partitionColumns", TextList()),
                         field("createdTime", arrow::int64()), field("configuration", TextMap())});
}

std::shared_ptr<arrow::Schema> MakeSchema() {
  return arrow::schema(
      {field("txn", arrow::struct_({field("appId", arrow::utf8()), field("version", arrow::int64()),
                                    field("lastUpdated", arrow::int64())})),
       field("add", AddType()), field("remove", RemoveType()), field("metaData", MetadataType()),
       field("protocol", arrow::struct_({field("minReaderVersion", arrow::int32()),
                                         field("minWriterVersion", arrow::int32()),
                                         field("readerFeatures", TextList()),
                                         field("writerFeatures", TextList())})),
       field("domainMetadata",
             arrow::struct_({field("domain", arrow::utf8()), field("configuration", arrow::utf8()),
                             field("removed", arrow::boolean())}))});
}

enum Column { kTxn, kAdd, kRemove, kMetadata, kProtocol, kDomainMetadata, kColumns };

// One row of a struct column; fields are appended in their order.
class StructRow {
 public:
  explicit StructRow(arrow::ArrayBuilder* builder)
      : builder_(static_cast<arrow::StructBuilder*>(builder)) {
    Keep(builder_->Append());
  }

  void Text(const std::optional<std::string>& value) {
    auto* child = Next<arrow::StringBuilder>();
    Keep(value ? child->Append(*value) : child->AppendNull());
  }
  void Integer(const std::optional<int64_t>& value) {
    auto* child = Next<arrow::Int64Builder>();
    Keep(value ? child->Append(*value) : child->AppendNull());
  }
  void Integer32(const std::optional<int32_t>& value) {
    auto* child = Next<arrow::Int32Builder>();
    Keep(value ? child->Append(*value) : child->AppendNull());
  }
  void Flag(const std::optional<bool>& value) {
    auto* child = Next<arrow::BooleanBuilder>();
    Keep(value ? child->Append(*value) : child->AppendNull());
  }
  void List(const std::optional<Strings>& list) {
    auto* child = Next<arrow::ListBuilder>();
    if (!list) return Keep(child->AppendNull());
    Keep(child->Append());
    auto* texts = static_cast<arrow::StringBuilder*>(child->value_builder());
    for (const std::string& text : *list) Keep(texts->Append(text));
  }
  template <class Map>
  void TextMap(const std::optional<Map>& map) {
    auto* child = Next<arrow::MapBuilder>();
    if (!map) return Keep(child->AppendNull());
    Keep(child->Append());
    auto* keys = static_cast<arrow::StringBuilder*>(child->key_builder());
    auto* items = static_cast<arrow::StringBuilder*>(child->item_builder());
    for (const auto& [key, value] : *map) {
      Keep(keys->Append(key));
      AppendItem(value, items);
    }
  }
  arrow::ArrayBuilder* Struct() { return Next<arrow::ArrayBuilder>(); }
  void NoStruct() { Keep(Next<arrow::ArrayBuilder>()->AppendNull()); }
  void Keep(Status status) { status_ = status_.ok() ? std::move(status) : status_; }
  const Status& status() const { return status_; }

 private:
  void AppendItem(const std::string& value, arrow::StringBuilder* items) {
    Keep(items->Append(value));
  }
  void AppendItem(const std::optional<std::string>& value, arrow::StringBuilder* items) {
    Keep(value ? items->Append(*value) : items->AppendNull());
  }
  template <class Builder>
  Builder* Next() {
    return static_cast<Builder*>(builder_->field_builder(next_++));
  }

  arrow::StructBuilder* builder_;
  int next_ = 0;
  Status status_;
};

void WriteVector(const FileName& file, StructRow* row) {
  if (!file.deletion_vector) return row->NoStruct();
  StructRow vector(row->Struct());
  vector.Text(file.deletion_vector->storage_type);
  vector.Text(file.deletion_vector->path_or_inline_dv);
  vector.Integer32(file.deletion_vector->offset);
  vector.Integer32(file.deletion_vector->size_in_bytes);
  vector.Integer(file.deletion_vector->cardinality);
  row->Keep(vector.status());
}

void Write(const Add& add, bool with_stats, StructRow* row) {
  const bool stats = with_stats && !add.stats.empty();
  row->Text(add.file.LogText());
  row->TextMap(std::optional(add.partition_values));
  row->Integer(add.size);
  row->Integer(add.modification_time);
  // A checkpoint changes no data.
  row->Flag(false);
  row->Text(stats ? std::optional(add.stats) : std::nullopt);
  row->TextMap(add.tags.empty() ? std::nullopt : std::optional(add.tags));
  WriteVector(add.file, row);
  row->Integer(add.base_row_id);
  row->Integer(add.default_row_commit_version);
  row->Text(add.clustering_provider);
}

void Write(const Remove& remove, StructRow* row) {
  row->Text(remove.file.LogText());
  row->Integer(remove.deletion_timestamp);
  row->Flag(false);
  row->Flag(remove.extended_file_metadata);
  row->TextMap(remove.partition_values);
  row->Integer(remove.size);
  WriteVector(remove.file, row);
  row->Integer(remove.base_row_id);
  row->Integer(remove.default_row_commit_version);
}

void Write(const Metadata& metadata, StructRow* row) {
  row->Text(metadata.id);
  row->Text(metadata.name);
  row->Text(metadata.description);
  StructRow format(row->Struct());
  format.Text(metadata.format_provider);
  format.TextMap(std::optional(metadata.format_options));
  row->Keep(format.status());
  row->Text(metadata.schema_string);
  row->List(metadata.partition_columns);
  row->Integer(metadata.created_time);
  row->TextMap(std::optional(metadata.configuration));
}

void Write(const Protocol& protocol, StructRow* row) {
  row->Integer32(protocol.min_reader_version);
  row->Integer32(protocol.min_writer_version);
  row->List(protocol.reader_features);
  row->List(protocol.writer_features);
}

void Write(const Txn& txn, StructRow* row) {
  row->Text(txn.app_id);
  row->Integer(txn.version);
  row->Integer(txn.last_updated);
}

void Write(const DomainMetadata& domain, StructRow* row) {
  row->Text(domain.domain);
  row->Text(domain.configuration);
  row->Flag(domain.removed);
}

int ColumnOf(const Action& action) {
  if (std::holds_alternative<Txn>(action)) return kTxn;
  if (std::holds_alternative<Add>(action)) return kAdd;
  if (std::holds_alternative<Remove>(action)) return kRemove;
  if (std::holds_alternative<Metadata>(action)) return kMetadata;
  if (std::holds_alternative<Protocol>(action)) return kProtocol;
  return std::holds_alternative<DomainMetadata>(action) ? kDomainMetadata : kColumns;
}

}  // namespace

const std::shared_ptr<arrow::Schema>& CheckpointSchema() {
  static const std::shared_ptr<arrow::Schema> schema = MakeSchema();
  return schema;
}

CheckpointRows::CheckpointRows(CheckpointRows&&) noexcept = default;
CheckpointRows& CheckpointRows::operator=(CheckpointRows&&) noexcept = default;
CheckpointRows::~CheckpointRows() = default;

Result<CheckpointRows> CheckpointRows::Make(bool with_stats) {
  CheckpointRows rows;
  rows.with_stats_ = with_stats;
  for (const auto& column : CheckpointSchema()->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(column->type()));
    rows.columns_.push_back(std::move(builder));
  }
  return rows;
}

Status CheckpointRows::Append(const Action& action) {
  const int column = ColumnOf(action);
  if (column == kColumns) return Status::OK();
  StructRow row(columns_[static_cast<size_t>(column)].get());
  std::visit(
      [&](const auto& one) {
        using T = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<T, Add>) {
          Write(one, with_stats_, &row);
        } else if constexpr (requires { Write(one, &row); }) {
          Write(one, &row);
        }
      },
      action);
  ARROW_RETURN_NOT_OK(row.status());
  for (int i = 0; i < kColumns; ++i) {
    if (i != column) ARROW_RETURN_NOT_OK(columns_[static_cast<size_t>(i)]->AppendNull());
  }
  ++rows_;
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> CheckpointRows::Finish() {
  arrow::ArrayVector arrays;
  for (const auto& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(auto array, column->Finish());
    arrays.push_back(std::move(array));
  }
  const int64_t rows = std::exchange(rows_, 0);
  return arrow::RecordBatch::Make(CheckpointSchema(), rows, std::move(arrays));
}

}  // namespace amp::delta
