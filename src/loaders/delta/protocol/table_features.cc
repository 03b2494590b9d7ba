#include "loaders/delta/protocol/table_features.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "loaders/delta/protocol/schema_json.h"

namespace amp::delta {
namespace {

constexpr int32_t kReaderFeatures = 3;
constexpr int32_t kWriterFeatures = 7;

// How far a feature goes before it is refused.
enum class Reach {
  kFull,          // supported, or preserved, in reading and writing
  kUnlessColumn,  // writing: refused where a column's metadata has `trigger`
  kUnlessOption,  // writing: refused where a table property starts with `trigger`
  kUnlessOn,      // writing: refused where the table property `trigger` is "true"
  kReadOnly,      // writing is refused
  kNone,          // both are refused
};

struct Feature {
  std::string_view name;
  bool of_readers;
  int32_t reader_version;  // the old version that implies it; 0: none
  int32_t writer_version;
  Reach reach;
  std::string_view trigger = {};
};

constexpr std::array<Feature, 33> kFeatures{{
    {"appendOnly", false, 0, 2, Reach::kFull},
    {"invariants", false, 0, 2, Reach::kUnlessColumn, "delta.invariants"},
    {"checkConstraints", false, 0, 3, Reach::kUnlessOption, "delta.constraints."},
    {"changeDataFeed", false, 0, 4, Reach::kFull},
    {"generatedColumns", false, 0, 4, Reach::kUnlessColumn, "delta.generationExpression"},
    {"columnMapping", true, 2, 5, Reach::kFull},
    {"identityColumns", false, 0, 6, Reach::kUnlessColumn, "delta.identity.start"},
    {"allowColumnDefaults", false, 0, 0, Reach::kUnlessColumn, "CURRENT_DEFAULT"},
    {"timestampNtz", true, 0, 0, Reach::kFull},
    {"domainMetadata", false, 0, 0, Reach::kFull},
    {"vacuumProtocolCheck", true, 0, 0, Reach::kFull},
    {"inCommitTimestamp", false, 0, 0, Reach::kFull},
    {"inCommitTimestamp-preview", false, 0, 0, Reach::kFull},
    {"v2Checkpoint", true, 0, 0, Reach::kFull},
    {"clustering", false, 0, 0, Reach::kFull},
    {"deletionVectors", true, 0, 0, Reach::kFull},
    {"icebergCompatV1", false, 0, 0, Reach::kUnlessOn, "delta.enableIcebergCompatV1"},
    {"icebergCompatV2", false, 0, 0, Reach::kUnlessOn, "delta.enableIcebergCompatV2"},
    {"icebergCompatV3", false, 0, 0, Reach::kReadOnly},
    {"icebergWriterCompatV1", false, 0, 0, Reach::kReadOnly},
    {"icebergWriterCompatV3", false, 0, 0, Reach::kReadOnly},
    {"rowTracking", false, 0, 0, Reach::kReadOnly},
    {"checkpointProtection", false, 0, 0, Reach::kReadOnly},
    {"materializePartitionColumns", false, 0, 0, Reach::kReadOnly},
    {"collations", false, 0, 0, Reach::kReadOnly},
    {"typeWidening", true, 0, 0, Reach::kNone},
    {"typeWidening-preview", true, 0, 0, Reach::kNone},
    {"variantType", true, 0, 0, Reach::kNone},
    {"variantType-preview", true, 0, 0, Reach::kNone},
    {"variantShredding", true, 0, 0, Reach::kNone},
    {"geospatial", true, 0, 0, Reach::kNone},
    {"catalogManaged", true, 0, 0, Reach::kNone},
    {"catalogOwned-preview", true, 0, 0, Reach::kNone},
}};

const Feature* FindFeature(std::string_view name) {
  const auto* const found =
      std::find_if(kFeatures.begin(), kFeatures.end(),
                   [&](const Feature& feature) { return feature.name == name; });
  return found == kFeatures.end() ? nullptr : found;
}

bool Lists(const std::optional<Strings>& names, std::string_view name) {
  return names && std::find(names->begin(), names->end(), name) != names->end();
}

// What in the table stands in the way of a writer; empty where nothing does.
std::string InWriting(const Feature& feature, const Metadata& metadata) {
  const StringMap& options = metadata.configuration;
  switch (feature.reach) {
    case Reach::kFull:
      return "";
    case Reach::kUnlessColumn: {
      const auto schema = SchemaFromJson(metadata.schema_string);
      // A schema that cannot be read is reported elsewhere, by column.
      const auto column = schema.ok() ? ColumnWith(**schema, feature.trigger) : std::nullopt;
      return column ? fmt::format("{} (column '{}')", feature.name, *column) : "";
    }
    case Reach::kUnlessOption: {
      const auto found = options.lower_bound(std::string(feature.trigger));
      const bool used = found != options.end() && found->first.starts_with(feature.trigger);
      return used ? fmt::format("{} ('{}')", feature.name, found->first) : "";
    }
    case Reach::kUnlessOn: {
      const auto found = options.find(std::string(feature.trigger));
      return found != options.end() && found->second == "true" ? std::string(feature.name) : "";
    }
    default:
      return std::string(feature.name);
  }
}

Status Refuse(std::string_view doing, const Strings& why) {
  return MakeError(
      {.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
      fmt::format("the Delta table cannot be {} here, it uses {}", doing, fmt::join(why, ", ")));
}

bool ListsReaderFeatures(const Protocol& protocol) {
  return protocol.min_reader_version >= kReaderFeatures;
}
bool ListsWriterFeatures(const Protocol& protocol) {
  return protocol.min_writer_version >= kWriterFeatures;
}

Strings RefusedInReading(const Protocol& protocol) {
  Strings refused;
  if (!ListsReaderFeatures(protocol)) return refused;
  for (const std::string& name : protocol.reader_features.value_or(Strings{})) {
    const Feature* feature = FindFeature(name);
    if (feature == nullptr || feature->reach == Reach::kNone) refused.push_back(name);
  }
  return refused;
}

Strings RefusedInWriting(const Protocol& protocol, const Metadata& metadata) {
  Strings refused;
  for (const Feature& feature : kFeatures) {
    if (!HasFeature(protocol, feature.name)) continue;
    std::string why = InWriting(feature, metadata);
    if (!why.empty()) refused.push_back(std::move(why));
  }
  if (!ListsWriterFeatures(protocol)) return refused;
  for (const std::string& name : protocol.writer_features.value_or(Strings{})) {
    if (FindFeature(name) == nullptr) refused.push_back(name);
  }
  return refused;
}

}  // namespace

bool HasFeature(const Protocol& protocol, std::string_view name) {
  if (ListsWriterFeatures(protocol)) {
    return Lists(protocol.writer_features, name) || Lists(protocol.reader_features, name);
  }
  const Feature* feature = FindFeature(name);
  if (feature == nullptr || feature->writer_version == 0) return false;
  return protocol.min_writer_version >= feature->writer_version &&
         protocol.min_reader_version >= feature->reader_version;
}

Status CheckReadable(const Protocol& protocol, const Metadata& metadata) {
  Strings refused = RefusedInReading(protocol);
  if (protocol.min_reader_version > kReaderFeatures) {
    refused.push_back(fmt::format("reader version {}", protocol.min_reader_version));
  }
  if (metadata.format_provider != "parquet") {
    refused.push_back(fmt::format("files of format '{}'", metadata.format_provider));
  }
  return refused.empty() ? Status::OK() : Refuse("read", refused);
}

Status CheckWritable(const Protocol& protocol, const Metadata& metadata) {
  ARROW_RETURN_NOT_OK(CheckReadable(protocol, metadata));
  Strings refused = RefusedInWriting(protocol, metadata);
  if (protocol.min_writer_version > kWriterFeatures) {
    refused.push_back(fmt::format("writer version {}", protocol.min_writer_version));
  }
  return refused.empty() ? Status::OK() : Refuse("written", refused);
}

Protocol WithFeature(const Protocol& protocol, std::string_view name) {
  if (HasFeature(protocol, name)) return protocol;
  Protocol out{.min_reader_version = protocol.min_reader_version,
               .min_writer_version = kWriterFeatures};
  const Feature* added = FindFeature(name);
  const bool of_readers = added != nullptr && added->of_readers;
  if (of_readers || ListsReaderFeatures(protocol)) out.min_reader_version = kReaderFeatures;
  out.writer_features = protocol.writer_features.value_or(Strings{});
  if (!ListsWriterFeatures(protocol)) {
    for (const Feature& feature : kFeatures) {
      if (HasFeature(protocol, feature.name)) out.writer_features->emplace_back(feature.name);
    }
  }
  out.writer_features->emplace_back(name);
  if (out.min_reader_version < kReaderFeatures) return out;
  out.reader_features = protocol.reader_features.value_or(Strings{});
  if (!ListsReaderFeatures(protocol) && HasFeature(protocol, "columnMapping")) {
    out.reader_features->emplace_back("columnMapping");
  }
  if (of_readers) out.reader_features->emplace_back(name);
  return out;
}

Protocol ProtocolFor(const arrow::Schema& schema) {
  if (!UsesTimestampNtz(schema)) return {};
  return {.min_reader_version = kReaderFeatures,
          .min_writer_version = kWriterFeatures,
          .reader_features = Strings{"timestampNtz"},
          .writer_features = Strings{"timestampNtz"}};
}

}  // namespace amp::delta
