#include "loaders/delta/plan_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace amp::delta {
namespace {

using Json = nlohmann::ordered_json;

std::string ProtocolText(const Protocol& protocol) {
  Json json{{"minReaderVersion", protocol.min_reader_version},
            {"minWriterVersion", protocol.min_writer_version}};
  if (protocol.reader_features) json["readerFeatures"] = *protocol.reader_features;
  if (protocol.writer_features) json["writerFeatures"] = *protocol.writer_features;
  return "protocol " + json.dump();
}

std::string MetadataText(const Metadata& metadata) {
  Json json{{"partitionColumns", metadata.partition_columns},
            {"configuration", metadata.configuration}};
  if (metadata.description) json["description"] = *metadata.description;
  return "metaData " + json.dump();
}

std::string SchemaText(const std::string& schema_json) {
  const Json schema = Json::parse(schema_json, nullptr, /*allow_exceptions=*/false);
  if (!schema.is_object() || !schema.contains("fields")) return "schema " + schema_json;
  std::vector<std::string> fields;
  for (const Json& field : schema["fields"]) fields.push_back("  " + field.dump());
  return fmt::format("schema {{\"type\":\"struct\",\"fields\":[\n{}\n]}}",
                     fmt::join(fields, ",\n"));
}

}  // namespace

std::vector<std::string> NewTableTexts(const Protocol& protocol, const Metadata& metadata) {
  return {ProtocolText(protocol), MetadataText(metadata), SchemaText(metadata.schema_string)};
}

}  // namespace amp::delta
