#include <fmt/format.h>

#include <iterator>

#include "core/json_text.h"
#include "loaders/delta/protocol/action_json.h"

namespace amp::delta {
namespace {

// Builds {"name":{…}} straight into the text: adds are on the path of every commit.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(out) { out_->push_back('{'); }
  ~ObjectWriter() { out_->push_back('}'); }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  /// Writes `"name":`; the value is the caller's.
  std::string* Name(std::string_view name) {
    if (!first_) out_->push_back(',');
    first_ = false;
    AppendJsonString(name, out_);
    out_->push_back(':');
    return out_;
  }
  void Text(std::string_view name, std::string_view value) { AppendJsonString(value, Name(name)); }
  void TextIf(std::string_view name, const std::optional<std::string>& value) {
    if (value) Text(name, *value);
  }
  void TextUnlessEmpty(std::string_view name, std::string_view value) {
    if (!value.empty()) Text(name, value);
  }
  void Integer(std::string_view name, int64_t value) {
    fmt::format_to(std::back_inserter(*Name(name)), "{}", value);
  }
  void IntegerIf(std::string_view name, const std::optional<int64_t>& value) {
    if (value) Integer(name, *value);
  }
  void Flag(std::string_view name, bool value) { Name(name)->append(value ? "true" : "false"); }
  void FlagIf(std::string_view name, const std::optional<bool>& value) {
    if (value) Flag(name, *value);
  }
  void JsonUnlessEmpty(std::string_view name, std::string_view json) {
    if (!json.empty()) Name(name)->append(json);
  }
  void Map(std::string_view name, const NullableMap& map) {
    ObjectWriter inner(Name(name));
    for (const auto& [key, value] : map) {
      value ? inner.Text(key, *value) : inner.JsonUnlessEmpty(key, "null");
    }
  }
  void Map(std::string_view name, const StringMap& map) {
    ObjectWriter inner(Name(name));
    for (const auto& [key, value] : map) inner.Text(key, value);
  }
  void List(std::string_view name, const Strings& list) {
    std::string* out = Name(name);
    out->push_back('[');
    for (size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out->push_back(',');
      AppendJsonString(list[i], out);
    }
    out->push_back(']');
  }

 private:
  std::string* out_;
  bool first_ = true;
};

void WriteDeletionVector(const FileName& file, ObjectWriter* out) {
  if (!file.deletion_vector) return;
  const DeletionVectorDescriptor& vector = *file.deletion_vector;
  ObjectWriter inner(out->Name("deletionVector"));
  inner.Text("storageType", vector.storage_type);
  inner.Text("pathOrInlineDv", vector.path_or_inline_dv);
  if (vector.offset) inner.Integer("offset", *vector.offset);
  inner.Integer("sizeInBytes", vector.size_in_bytes);
  inner.Integer("cardinality", vector.cardinality);
  inner.IntegerIf("maxRowIndex", vector.max_row_index);
}

void Write(const Add& add, ObjectWriter* out) {
  out->Text("path", add.file.LogText());
  out->Map("partitionValues", add.partition_values);
  out->Integer("size", add.size);
  out->Integer("modificationTime", add.modification_time);
  out->Flag("dataChange", add.data_change);
  out->TextUnlessEmpty("stats", add.stats);
  if (!add.tags.empty()) out->Map("tags", add.tags);
  WriteDeletionVector(add.file, out);
  out->IntegerIf("baseRowId", add.base_row_id);
  out->IntegerIf("defaultRowCommitVersion", add.default_row_commit_version);
  out->TextIf("clusteringProvider", add.clustering_provider);
}

void Write(const Remove& remove, ObjectWriter* out) {
  out->Text("path", remove.file.LogText());
  out->IntegerIf("deletionTimestamp", remove.deletion_timestamp);
  out->Flag("dataChange", remove.data_change);
  out->FlagIf("extendedFileMetadata", remove.extended_file_metadata);
  if (remove.partition_values) out->Map("partitionValues", *remove.partition_values);
  out->IntegerIf("size", remove.size);
  out->TextUnlessEmpty("stats", remove.stats);
  if (!remove.tags.empty() || remove.extended_file_metadata.value_or(false)) {
    out->Map("tags", remove.tags);
  }
  WriteDeletionVector(remove.file, out);
  out->IntegerIf("baseRowId", remove.base_row_id);
  out->IntegerIf("defaultRowCommitVersion", remove.default_row_commit_version);
}

void Write(const Metadata& metadata, ObjectWriter* out) {
  out->Text("id", metadata.id);
  out->TextIf("name", metadata.name);
  out->TextIf("description", metadata.description);
  {
    ObjectWriter format(out->Name("format"));
    format.Text("provider", metadata.format_provider);
    format.Map("options", metadata.format_options);
  }
  out->Text("schemaString", metadata.schema_string);
  out->List("partitionColumns", metadata.partition_columns);
  out->IntegerIf("createdTime", metadata.created_time);
  out->Map("configuration", metadata.configuration);
}

void Write(const Protocol& protocol, ObjectWriter* out) {
  out->Integer("minReaderVersion", protocol.min_reader_version);
  out->Integer("minWriterVersion", protocol.min_writer_version);
  if (protocol.reader_features) out->List("readerFeatures", *protocol.reader_features);
  if (protocol.writer_features) out->List("writerFeatures", *protocol.writer_features);
}

void Write(const Txn& txn, ObjectWriter* out) {
  out->Text("appId", txn.app_id);
  out->Integer("version", txn.version);
  out->IntegerIf("lastUpdated", txn.last_updated);
}

void Write(const DomainMetadata& domain, ObjectWriter* out) {
  out->Text("domain", domain.domain);
  out->Text("configuration", domain.configuration);
  out->Flag("removed", domain.removed);
}

void Write(const CommitInfo& info, ObjectWriter* out) {
  out->IntegerIf("inCommitTimestamp", info.in_commit_timestamp);
  out->IntegerIf("timestamp", info.timestamp);
  out->TextUnlessEmpty("operation", info.operation);
  out->JsonUnlessEmpty("operationParameters", info.operation_parameters);
  out->IntegerIf("readVersion", info.read_version);
  out->TextUnlessEmpty("isolationLevel", info.isolation_level);
  out->FlagIf("isBlindAppend", info.is_blind_append);
  out->JsonUnlessEmpty("operationMetrics", info.operation_metrics);
  out->TextUnlessEmpty("engineInfo", info.engine_info);
  out->TextUnlessEmpty("txnId", info.txn_id);
  for (const auto& [name, json] : info.others) out->JsonUnlessEmpty(name, json);
}

void Write(const Cdc& cdc, ObjectWriter* out) {
  out->Text("path", FileName{cdc.path}.LogText());
  out->Map("partitionValues", StringMap{});
  out->Integer("size", cdc.size);
  out->Flag("dataChange", false);
}

void Write(const CheckpointMetadata& metadata, ObjectWriter* out) {
  out->Integer("version", metadata.version);
}

void Write(const Sidecar& sidecar, ObjectWriter* out) {
  out->Text("path", FileName{sidecar.path}.LogText());
  out->Integer("sizeInBytes", sidecar.size_in_bytes);
  out->Integer("modificationTime", sidecar.modification_time);
}

std::string_view NameOf(const Add&) { return "add"; }
std::string_view NameOf(const Remove&) { return "remove"; }
std::string_view NameOf(const Metadata&) { return "metaData"; }
std::string_view NameOf(const Protocol&) { return "protocol"; }
std::string_view NameOf(const Txn&) { return "txn"; }
std::string_view NameOf(const DomainMetadata&) { return "domainMetadata"; }
std::string_view NameOf(const CommitInfo&) { return "commitInfo"; }
std::string_view NameOf(const Cdc&) { return "cdc"; }
std::string_view NameOf(const CheckpointMetadata&) { return "checkpointMetadata"; }
std::string_view NameOf(const Sidecar&) { return "sidecar"; }

template <class T>
void AppendLine(const T& action, std::string* out) {
  {
    ObjectWriter line(out);
    ObjectWriter body(line.Name(NameOf(action)));
    Write(action, &body);
  }
  out->push_back('\n');
}

void AppendLine(const UnknownAction& action, std::string* out) {
  {
    ObjectWriter line(out);
    line.JsonUnlessEmpty(action.name, action.json);
  }
  out->push_back('\n');
}

}  // namespace

void AppendAction(const Action& action, std::string* out) {
  std::visit([&](const auto& one) { AppendLine(one, out); }, action);
}

void AppendAdd(const Add& add, std::string* out) { AppendLine(add, out); }
void AppendRemove(const Remove& remove, std::string* out) { AppendLine(remove, out); }

std::string SerializeActions(std::span<const Action> actions) {
  std::string out;
  for (const Action& action : actions) {
    if (std::holds_alternative<CommitInfo>(action)) AppendAction(action, &out);
  }
  for (const Action& action : actions) {
    if (!std::holds_alternative<CommitInfo>(action)) AppendAction(action, &out);
  }
  return out;
}

}  // namespace amp::delta
