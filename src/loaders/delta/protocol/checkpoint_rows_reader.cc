#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <limits>

#include "loaders/delta/protocol/checkpoint_rows.h"
#include "loaders/delta/protocol/paths.h"

namespace amp::delta {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

Status Broken(std::string what) {
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget}, std::move(what));
}

// A struct column and its fields, some of which may be missing; those are null.
class StructColumn {
 public:
  StructColumn() = default;
  explicit StructColumn(const ArrayPtr& column) {
    if (column == nullptr || column->type_id() != arrow::Type::STRUCT) return;
    column_ = std::static_pointer_cast<arrow::StructArray>(column);
  }
  bool Has(int64_t row) const { return column_ != nullptr && column_->IsValid(row); }
  ArrayPtr Field(const char* name) const {
    return column_ == nullptr ? nullptr : column_->GetFieldByName(name);
  }
  StructColumn Struct(const char* name) const { return StructColumn(Field(name)); }

 private:
  std::shared_ptr<arrow::StructArray> column_;
};

bool IsNull(const ArrayPtr& array, int64_t row) { return array == nullptr || array->IsNull(row); }

std::optional<std::string> TextAt(const ArrayPtr& array, int64_t row) {
  if (IsNull(array, row)) return std::nullopt;
  switch (array->type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return static_cast<const arrow::BinaryArray&>(*array).GetString(row);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return static_cast<const arrow::LargeBinaryArray&>(*array).GetString(row);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return std::string(static_cast<const arrow::BinaryViewArray&>(*array).GetView(row));
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> IntegerAt(const ArrayPtr& array, int64_t row) {
  if (IsNull(array, row)) return std::nullopt;
  switch (array->type_id()) {
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(*array).Value(row);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(*array).Value(row);
    default:
      return std::nullopt;
  }
}

std::optional<int32_t> Integer32At(const ArrayPtr& array, int64_t row) {
  const auto value = IntegerAt(array, row);
  if (!value || !std::in_range<int32_t>(*value)) return std::nullopt;
  return static_cast<int32_t>(*value);
}

std::optional<bool> FlagAt(const ArrayPtr& array, int64_t row) {
  if (IsNull(array, row) || array->type_id() != arrow::Type::BOOL) return std::nullopt;
  return static_cast<const arrow::BooleanArray&>(*array).Value(row);
}

std::optional<NullableMap> MapAt(const ArrayPtr& array, int64_t row) {
  if (IsNull(array, row) || array->type_id() != arrow::Type::MAP) return std::nullopt;
  const auto& map = static_cast<const arrow::MapArray&>(*array);
  NullableMap out;
  for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    if (auto key = TextAt(map.keys(), i)) out.insert_or_assign(*key, TextAt(map.items(), i));
  }
  return out;
}

StringMap PlainMapAt(const ArrayPtr& array, int64_t row) {
  StringMap out;
  for (auto& [key, value] : MapAt(array, row).value_or(NullableMap{})) {
    if (value) out.emplace(key, *value);
  }
  return out;
}

std::optional<Strings> ListAt(const ArrayPtr& array, int64_t row) {
  if (IsNull(array, row) || array->type_id() != arrow::Type::LIST) return std::nullopt;
  const auto& list = static_cast<const arrow::ListArray&>(*array);
  Strings out;
  for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i) {
    out.push_back(TextAt(list.values(), i).value_or(""));
  }
  return out;
}

// What add and remove have in common.
struct FileColumns {
  explicit FileColumns(const StructColumn& column)
      : path(column.Field("path")),
        vector(column.Struct("deletionVector")),
        storage_type(vector.Field("storageType")),
        path_or_inline_dv(vector.Field("pathOrInlineDv")),
        offset(vector.Field("offset")),
        size_in_bytes(vector.Field("sizeInBytes")),
        cardinality(vector.Field("cardinality")),
        max_row_index(vector.Field("maxRowIndex")) {}

  Result<FileName> At(int64_t row) const {
    auto text = TextAt(path, row);
    if (!text) return Broken("a file has no path");
    ARROW_ASSIGN_OR_RAISE(FileName file, FileNameFromLog(*std::move(text)));
    if (vector.Has(row) && !IsNull(storage_type, row)) file.deletion_vector = VectorAt(row);
    return file;
  }
  DeletionVectorDescriptor VectorAt(int64_t row) const {
    return {.storage_type = TextAt(storage_type, row).value_or(""),
            .path_or_inline_dv = TextAt(path_or_inline_dv, row).value_or(""),
            .offset = Integer32At(offset, row),
            .size_in_bytes = Integer32At(size_in_bytes, row).value_or(0),
            .cardinality = IntegerAt(cardinality, row).value_or(0),
            .max_row_index = IntegerAt(max_row_index, row)};
  }

  ArrayPtr path;
  StructColumn vector;
  ArrayPtr storage_type, path_or_inline_dv, offset, size_in_bytes, cardinality, max_row_index;
};

// One reader a column: finds the fields once a batch, then makes an action of each row.
class AddColumn {
 public:
  explicit AddColumn(const StructColumn& column)
      : column_(column),
        file_(column),
        partition_values_(column.Field("partitionValues")),
        size_(column.Field("size")),
        modification_time_(column.Field("modificationTime")),
        data_change_(column.Field("dataChange")),
        stats_(column.Field("stats")),
        num_records_(column.Struct("stats_parsed").Field("numRecords")),
        tags_(column.Field("tags")),
        base_row_id_(column.Field("baseRowId")),
        row_commit_version_(column.Field("defaultRowCommitVersion")),
        clustering_provider_(column.Field("clusteringProvider")) {}

  bool Has(int64_t row) const { return column_.Has(row); }
  Result<Action> At(int64_t row) const {
    Add add;
    ARROW_ASSIGN_OR_RAISE(add.file, file_.At(row));
    add.partition_values = MapAt(partition_values_, row).value_or(NullableMap{});
    add.size = IntegerAt(size_, row).value_or(0);
    add.modification_time = IntegerAt(modification_time_, row).value_or(0);
    add.data_change = FlagAt(data_change_, row).value_or(false);
    add.stats = TextAt(stats_, row).value_or("");
    if (const auto rows = IntegerAt(num_records_, row); rows && add.stats.empty()) {
      add.stats = fmt::format(R"({{"numRecords":{}}})", *rows);
    }
    add.tags = MapAt(tags_, row).value_or(NullableMap{});
    add.base_row_id = IntegerAt(base_row_id_, row);
    add.default_row_commit_version = IntegerAt(row_commit_version_, row);
    add.clustering_provider = TextAt(clustering_provider_, row);
    return add;
  }

 private:
  StructColumn column_;
  FileColumns file_;
  ArrayPtr partition_values_, size_, modification_time_, data_change_, stats_, num_records_, tags_,
      base_row_id_, row_commit_version_, clustering_provider_;
};

class RemoveColumn {
 public:
  explicit RemoveColumn(const StructColumn& column)
      : column_(column),
        file_(column),
        deletion_timestamp_(column.Field("deletionTimestamp")),
        data_change_(column.Field("dataChange")),
        extended_(column.Field("extendedFileMetadata")),
        partition_values_(column.Field("partitionValues")),
        size_(column.Field("size")),
        base_row_id_(column.Field("baseRowId")),
        row_commit_version_(column.Field("defaultRowCommitVersion")) {}

  bool Has(int64_t row) const { return column_.Has(row); }
  Result<Action> At(int64_t row) const {
    Remove remove;
    ARROW_ASSIGN_OR_RAISE(remove.file, file_.At(row));
    remove.deletion_timestamp = IntegerAt(deletion_timestamp_, row);
    remove.data_change = FlagAt(data_change_, row).value_or(false);
    remove.extended_file_metadata = FlagAt(extended_, row);
    remove.partition_values = MapAt(partition_values_, row);
    remove.size = IntegerAt(size_, row);
    remove.base_row_id = IntegerAt(base_row_id_, row);
    remove.default_row_commit_version = IntegerAt(row_commit_version_, row);
    return remove;
  }

 private:
  StructColumn column_;
  FileColumns file_;
  ArrayPtr deletion_timestamp_, data_change_, extended_, partition_values_, size_, base_row_id_,
      row_commit_version_;
};

// The rest is few rows: fields are looked up for each.
Result<Action> MetadataAt(const StructColumn& column, int64_t row) {
  Metadata out;
  const StructColumn format = column.Struct("format");
  out.id = TextAt(column.Field("id"), row).value_or("");
  out.name = TextAt(column.Field("name"), row);
  out.description = TextAt(column.Field("description"), row);
  out.format_provider = TextAt(format.Field("provider"), row).value_or("parquet");
  out.format_options = PlainMapAt(format.Field("options"), row);
  const auto schema = TextAt(column.Field("schemaString"), row);
  if (!schema) return Broken("metaData has no schemaString");
  out.schema_string = *schema;
  out.partition_columns = ListAt(column.Field("partitionColumns"), row).value_or(Strings{});
  out.created_time = IntegerAt(column.Field("createdTime"), row);
  out.configuration = PlainMapAt(column.Field("configuration"), row);
  return out;
}

Result<Action> ProtocolAt(const StructColumn& column, int64_t row) {
  const auto reader = Integer32At(column.Field("minReaderVersion"), row);
  const auto writer = Integer32At(column.Field("minWriterVersion"), row);
  if (!reader || !writer) return Broken("protocol has no versions");
  return Protocol{.min_reader_version = *reader,
                  .min_writer_version = *writer,
                  .reader_features = ListAt(column.Field("readerFeatures"), row),
                  .writer_features = ListAt(column.Field("writerFeatures"), row)};
}

Result<Action> TxnAt(const StructColumn& column, int64_t row) {
  auto app_id = TextAt(column.Field("appId"), row);
  const auto version = IntegerAt(column.Field("version"), row);
  if (!app_id || !version) return Broken("txn has no appId or version");
  return Txn{*std::move(app_id), *version, IntegerAt(column.Field("lastUpdated"), row)};
}

Result<Action> DomainAt(const StructColumn& column, int64_t row) {
  auto domain = TextAt(column.Field("domain"), row);
  if (!domain) return Broken("domainMetadata has no domain");
  return DomainMetadata{*std::move(domain), TextAt(column.Field("configuration"), row).value_or(""),
                        FlagAt(column.Field("removed"), row).value_or(false)};
}

Result<Action> SidecarAt(const StructColumn& column, int64_t row) {
  const auto text = TextAt(column.Field("path"), row);
  if (!text) return Broken("sidecar has no path");
  Sidecar sidecar;
  ARROW_ASSIGN_OR_RAISE(sidecar.path, DecodePath(*text));
  sidecar.size_in_bytes = IntegerAt(column.Field("sizeInBytes"), row).value_or(0);
  sidecar.modification_time = IntegerAt(column.Field("modificationTime"), row).value_or(0);
  return sidecar;
}

struct OtherColumn {
  const char* name;
  Result<Action> (*at)(const StructColumn&, int64_t);
};
constexpr std::array<OtherColumn, 5> kOthers{{{"metaData", MetadataAt},
                                              {"protocol", ProtocolAt},
                                              {"txn", TxnAt},
                                              {"domainMetadata", DomainAt},
                                              {"sidecar", SidecarAt}}};

template <class Column>
Status EachOf(const Column& column, int64_t rows, const std::function<Status(Action)>& each) {
  for (int64_t row = 0; row < rows; ++row) {
    if (!column.Has(row)) continue;
    ARROW_ASSIGN_OR_RAISE(Action action, column.At(row));
    ARROW_RETURN_NOT_OK(each(std::move(action)));
  }
  return Status::OK();
}

}  // namespace

const Strings& CheckpointColumns() {
  static const Strings columns{"add", "remove",         "metaData", "protocol",
                               "txn", "domainMetadata", "sidecar"};
  return columns;
}

Status ForEachCheckpointAction(const arrow::RecordBatch& rows,
                               const std::function<Status(Action)>& each) {
  for (const OtherColumn& other : kOthers) {
    const StructColumn column(rows.GetColumnByName(other.name));
    for (int64_t row = 0; row < rows.num_rows(); ++row) {
      if (!column.Has(row)) continue;
      ARROW_ASSIGN_OR_RAISE(Action action, other.at(column, row));
      ARROW_RETURN_NOT_OK(each(std::move(action)));
    }
  }
  const AddColumn adds{StructColumn(rows.GetColumnByName("add"))};
  ARROW_RETURN_NOT_OK(EachOf(adds, rows.num_rows(), each));
  const RemoveColumn removes{StructColumn(rows.GetColumnByName("remove"))};
  return EachOf(removes, rows.num_rows(), each);
}

}  // namespace amp::delta
