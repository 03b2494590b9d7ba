#include <fmt/format.h>

#include <array>
#include <limits>

#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/json_members.h"
#include "loaders/delta/protocol/paths.h"

namespace amp::delta {
namespace {

using Json = nlohmann::json;

Status Broken(std::string message) {
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget}, std::move(message));
}

Status Finish(const JsonMembers& members) {
  return members.problem().empty() ? Status::OK() : Broken(members.problem());
}

int32_t Narrow(int64_t value) {
  const bool fits = std::in_range<int32_t>(value);
  return fits ? static_cast<int32_t>(value) : std::numeric_limits<int32_t>::max();
}

Result<std::optional<DeletionVectorDescriptor>> DeletionVectorOf(const Json* json) {
  if (json == nullptr) return std::nullopt;
  JsonMembers in(*json);
  DeletionVectorDescriptor vector;
  vector.storage_type = in.RequiredText("storageType");
  vector.path_or_inline_dv = in.RequiredText("pathOrInlineDv");
  if (const auto offset = in.Integer("offset")) vector.offset = Narrow(*offset);
  vector.size_in_bytes = Narrow(in.RequiredInteger("sizeInBytes"));
  vector.cardinality = in.RequiredInteger("cardinality");
  vector.max_row_index = in.Integer("maxRowIndex");
  ARROW_RETURN_NOT_OK(Finish(in));
  return vector;
}

Result<FileName> FileOf(JsonMembers* in) {
  ARROW_ASSIGN_OR_RAISE(FileName file, FileNameFromLog(in->RequiredText("path")));
  ARROW_ASSIGN_OR_RAISE(file.deletion_vector, DeletionVectorOf(in->Find("deletionVector")));
  return file;
}

Result<Action> ParseAdd(const Json& json) {
  JsonMembers in(json);
  Add add;
  ARROW_ASSIGN_OR_RAISE(add.file, FileOf(&in));
  add.partition_values = in.Map("partitionValues").value_or(NullableMap{});
  add.size = in.RequiredInteger("size");
  add.modification_time = in.Integer("modificationTime").value_or(0);
  add.data_change = in.Flag("dataChange").value_or(true);
  add.stats = in.Text("stats").value_or("");
  add.tags = in.Map("tags").value_or(NullableMap{});
  add.base_row_id = in.Integer("baseRowId");
  add.default_row_commit_version = in.Integer("defaultRowCommitVersion");
  add.clustering_provider = in.Text("clusteringProvider");
  ARROW_RETURN_NOT_OK(Finish(in));
  return add;
}

Result<Action> ParseRemove(const Json& json) {
  JsonMembers in(json);
  Remove remove;
  ARROW_ASSIGN_OR_RAISE(remove.file, FileOf(&in));
  remove.deletion_timestamp = in.Integer("deletionTimestamp");
  remove.data_change = in.Flag("dataChange").value_or(true);
  remove.extended_file_metadata = in.Flag("extendedFileMetadata");
  remove.partition_values = in.Map("partitionValues");
  remove.size = in.Integer("size");
  remove.stats = in.Text("stats").value_or("");
  remove.tags = in.Map("tags").value_or(NullableMap{});
  remove.base_row_id = in.Integer("baseRowId");
  remove.default_row_commit_version = in.Integer("defaultRowCommitVersion");
  ARROW_RETURN_NOT_OK(Finish(in));
  return remove;
}

Result<Action> ParseMetadata(const Json& json) {
  JsonMembers in(json);
  Metadata metadata;
  metadata.id = in.RequiredText("id");
  metadata.name = in.Text("name");
  metadata.description = in.Text("description");
  if (const Json* format = in.Find("format")) {
    JsonMembers inner(*format);
    metadata.format_provider = inner.Text("provider").value_or("parquet");
    metadata.format_options = inner.PlainMap("options");
    ARROW_RETURN_NOT_OK(Finish(inner));
  }
  metadata.schema_string = in.RequiredText("schemaString");
  metadata.partition_columns = in.List("partitionColumns").value_or(Strings{});
  metadata.created_time = in.Integer("createdTime");
  metadata.configuration = in.PlainMap("configuration");
  ARROW_RETURN_NOT_OK(Finish(in));
  return metadata;
}

Result<Action> ParseProtocol(const Json& json) {
  JsonMembers in(json);
  Protocol protocol;
  protocol.min_reader_version = Narrow(in.RequiredInteger("minReaderVersion"));
  protocol.min_writer_version = Narrow(in.RequiredInteger("minWriterVersion"));
  protocol.reader_features = in.List("readerFeatures");
  protocol.writer_features = in.List("writerFeatures");
  ARROW_RETURN_NOT_OK(Finish(in));
  return protocol;
}

Result<Action> ParseTxn(const Json& json) {
  JsonMembers in(json);
  Txn txn;
  txn.app_id = in.RequiredText("appId");
  txn.version = in.RequiredInteger("version");
  txn.last_updated = in.Integer("lastUpdated");
  ARROW_RETURN_NOT_OK(Finish(in));
  return txn;
}

Result<Action> ParseDomainMetadata(const Json& json) {
  JsonMembers in(json);
  DomainMetadata domain;
  domain.domain = in.RequiredText("domain");
  domain.configuration = in.Text("configuration").value_or("");
  domain.removed = in.Flag("removed").value_or(false);
  ARROW_RETURN_NOT_OK(Finish(in));
  return domain;
}

// Free text of whoever wrote the commit: nothing in it may stop a reader, and a member of another
// type than ours is kept with the others.
Result<Action> ParseCommitInfo(const Json& json) {
  CommitInfo info;
  for (const auto& [name, value] : json.items()) {
    if (name == "inCommitTimestamp" && value.is_number_integer()) {
      info.in_commit_timestamp = value.get<int64_t>();
    } else if (name == "timestamp" && value.is_number_integer()) {
      info.timestamp = value.get<int64_t>();
    } else if (name == "readVersion" && value.is_number_integer()) {
      info.read_version = value.get<int64_t>();
    } else if (name == "isBlindAppend" && value.is_boolean()) {
      info.is_blind_append = value.get<bool>();
    } else if (name == "operation" && value.is_string()) {
      info.operation = value.get<std::string>();
    } else if (name == "isolationLevel" && value.is_string()) {
      info.isolation_level = value.get<std::string>();
    } else if (name == "engineInfo" && value.is_string()) {
      info.engine_info = value.get<std::string>();
    } else if (name == "txnId" && value.is_string()) {
      info.txn_id = value.get<std::string>();
    } else if (name == "operationParameters" && value.is_object()) {
      info.operation_parameters = value.dump();
    } else if (name == "operationMetrics" && value.is_object()) {
      info.operation_metrics = value.dump();
    } else {
      info.others.emplace(name, value.dump());
    }
  }
  return info;
}

Result<Action> ParseCdc(const Json& json) {
  JsonMembers in(json);
  Cdc cdc;
  ARROW_ASSIGN_OR_RAISE(cdc.path, DecodePath(in.RequiredText("path")));
  cdc.size = in.Integer("size").value_or(0);
  ARROW_RETURN_NOT_OK(Finish(in));
  return cdc;
}

Result<Action> ParseCheckpointMetadata(const Json& json) {
  JsonMembers in(json);
  const CheckpointMetadata metadata{in.RequiredInteger("version")};
  ARROW_RETURN_NOT_OK(Finish(in));
  return metadata;
}

Result<Action> ParseSidecar(const Json& json) {
  JsonMembers in(json);
  Sidecar sidecar;
  ARROW_ASSIGN_OR_RAISE(sidecar.path, DecodePath(in.RequiredText("path")));
  sidecar.size_in_bytes = in.Integer("sizeInBytes").value_or(0);
  sidecar.modification_time = in.Integer("modificationTime").value_or(0);
  ARROW_RETURN_NOT_OK(Finish(in));
  return sidecar;
}

struct Parser {
  std::string_view name;
  Result<Action> (*parse)(const Json&);
};

constexpr std::array<Parser, 10> kParsers{{{"add", ParseAdd},
                                           {"remove", ParseRemove},
                                           {"txn", ParseTxn},
                                           {"commitInfo", ParseCommitInfo},
                                           {"metaData", ParseMetadata},
                                           {"protocol", ParseProtocol},
                                           {"domainMetadata", ParseDomainMetadata},
                                           {"cdc", ParseCdc},
                                           {"checkpointMetadata", ParseCheckpointMetadata},
                                           {"sidecar", ParseSidecar}}};

Result<Action> ParseAction(const std::string& name, const Json& body) {
  for (const Parser& parser : kParsers) {
    if (parser.name != name) continue;
    if (!body.is_object()) return Broken(fmt::format("'{}' is no object", name));
    auto action = parser.parse(body);
    if (action.ok()) return action;
    return WithContext(action.status(), fmt::format("'{}'", name));
  }
  return UnknownAction{name, body.dump()};
}

Status ParseLine(std::string_view line, const std::function<Status(Action)>& each) {
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Broken("this is no JSON object");
  for (const auto& [name, body] : json.items()) {
    // Checkpoints as JSON, and some writers, have all actions in a line, but one null.
    if (body.is_null()) continue;
    ARROW_ASSIGN_OR_RAISE(Action action, ParseAction(name, body));
    ARROW_RETURN_NOT_OK(each(std::move(action)));
  }
  return Status::OK();
}

}  // namespace

Status ForEachAction(std::string_view text, std::string_view name,
                     const std::function<Status(Action)>& each) {
  int64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const Status status = ParseLine(line, each);
    if (!status.ok()) return WithContext(status, fmt::format("{}, line {}", name, number));
  }
  return Status::OK();
}

Result<std::vector<Action>> ParseActions(std::string_view text, std::string_view name) {
  std::vector<Action> actions;
  ARROW_RETURN_NOT_OK(ForEachAction(text, name, [&](Action action) {
    actions.push_back(std::move(action));
    return Status::OK();
  }));
  return actions;
}

}  // namespace amp::delta
