#include "loaders/parquet/file_plan.h"

#include <arrow/util/compression.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>

#include <charconv>
#include <functional>
#include <utility>

#include "loaders/parquet/recycling_pool.h"

namespace amp::parquet_files {
namespace {

using parquet::schema::GroupNode;

Status BadOption(const std::string& message) {
  return MakeError(ErrorKind::kConfigInvalid, message);
}

struct Compression {
  arrow::Compression::type codec = arrow::Compression::UNCOMPRESSED;
  std::optional<int> level = {};
};

Result<int> ParseLevel(const std::string& text, arrow::Compression::type codec) {
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  const bool number = error == std::errc() && end == text.data() + text.size();
  const auto least = arrow::util::Codec::MinimumCompressionLevel(codec);
  const auto most = arrow::util::Codec::MaximumCompressionLevel(codec);
  if (number && least.ok() && most.ok() && level >= *least && level <= *most) return level;
  return BadOption("compression: '" + text + "' is no level of this codec; leave the level out");
}

Result<Compression> ParseCompression(const std::string& text) {
  static const std::map<std::string, arrow::Compression::type> kCodecs = {
      {"none", arrow::Compression::UNCOMPRESSED}, {"snappy", arrow::Compression::SNAPPY},
      {"lz4", arrow::Compression::LZ4},           {"gzip", arrow::Compression::GZIP},
      {"zstd", arrow::Compression::ZSTD},
  };
  const size_t colon = text.find(':');
  const auto found = kCodecs.find(text.substr(0, colon));
  if (found == kCodecs.end()) {
    return BadOption("compression: '" + text +
                     "' is not known; it is none, snappy, lz4, gzip or zstd, the last two with a "
                     "level if wanted, as zstd:3");
  }
  if (!arrow::util::Codec::IsAvailable(found->second)) {
    return BadOption("compression: this build of Arrow has no " + found->first);
  }
  Compression compression{.codec = found->second};
  if (colon == std::string::npos) return compression;
  const bool levels = arrow::util::Codec::SupportsCompressionLevel(found->second);
  if (!levels || found->first == "lz4") {
    return BadOption("compression: " + found->first + " takes no level");
  }
  ARROW_ASSIGN_OR_RAISE(compression.level, ParseLevel(text.substr(colon + 1), found->second));
  return compression;
}

Status CheckSizes(const WriteOptions& options) {
  const std::pair<const char*, int64_t> sizes[] = {
      {"target_file_size", options.target_file_bytes},
      {"row_group_rows", options.row_group_rows},
      {"row_group_bytes", options.row_group_bytes},
      {"data_page_size", options.data_page_bytes},
      {"queue_bytes", options.queue_bytes},
  };
  for (const auto& [name, size] : sizes) {
    if (size < 1) return BadOption(std::string(name) + " is " + std::to_string(size) + ", below 1");
  }
  return Status::OK();
}

// The leaves that `name` means.
Result<std::vector<std::string>> LeavesOf(const parquet::SchemaDescriptor& schema,
                                          const std::string& name) {
  std::vector<std::string> leaves;
  for (int i = 0; i < schema.num_columns(); ++i) {
    const std::string path = schema.Column(i)->path()->ToDotString();
    if (path == name || path.starts_with(name + ".")) leaves.push_back(path);
  }
  if (leaves.empty()) return BadOption("there is no column '" + name + "'");
  return leaves;
}

Status AddBloomFilters(const parquet::SchemaDescriptor& schema, const WriteOptions& options,
                       parquet::WriterProperties::Builder* builder) {
  for (const BloomFilterColumn& filter : options.bloom_filters) {
    ARROW_ASSIGN_OR_RAISE(const auto leaves, LeavesOf(schema, filter.column));
    for (const std::string& leaf : leaves) {
      if (schema.Column(schema.ColumnIndex(leaf))->physical_type() == parquet::Type::BOOLEAN) {
        return BadOption("bloom filter: column '" + leaf + "' is boolean; leave it out");
      }
      builder->enable_bloom_filter(leaf,
                                   {.ndv = filter.distinct_values, .fpp = filter.false_positives});
    }
  }
  return Status::OK();
}

Status AddColumnOptions(const parquet::SchemaDescriptor& schema, const WriteOptions& options,
                        parquet::WriterProperties::Builder* builder) {
  for (const std::string& name : options.no_dictionary) {
    ARROW_ASSIGN_OR_RAISE(const auto leaves, LeavesOf(schema, name));
    for (const std::string& leaf : leaves) builder->disable_dictionary(leaf);
  }
  for (const std::string& name : options.no_statistics) {
    ARROW_ASSIGN_OR_RAISE(const auto leaves, LeavesOf(schema, name));
    for (const std::string& leaf : leaves) builder->disable_statistics(leaf);
  }
  return AddBloomFilters(schema, options, builder);
}

Status AddOptions(const WriteOptions& options, parquet::WriterProperties::Builder* builder) {
  ARROW_RETURN_NOT_OK(CheckSizes(options));
  ARROW_ASSIGN_OR_RAISE(const Compression compression, ParseCompression(options.compression));
  builder->compression(compression.codec);
  if (compression.level) builder->compression_level(*compression.level);
  if (!options.dictionary) builder->disable_dictionary();
  if (!options.page_index) builder->disable_write_page_index();
  if (options.decimals_as_integers) builder->enable_store_decimal_as_integer();
  builder->memory_pool(RecyclingPool::Instance());
  builder->max_row_group_length(options.row_group_rows);
  builder->data_pagesize(options.data_page_bytes);
  // They serve readers that plan memory page by page, and cost a pass over all levels.
  builder->set_size_statistics_level(parquet::SizeStatisticsLevel::None);
  return Status::OK();
}

Result<ParquetSchema> ConvertSchema(const arrow::Schema& schema,
                                    const parquet::WriterProperties& properties,
                                    const parquet::ArrowWriterProperties& arrow_properties) {
  std::shared_ptr<parquet::SchemaDescriptor> converted;
  const Status status =
      parquet::arrow::ToParquetSchema(&schema, properties, arrow_properties, &converted);
  if (!status.ok()) {
    return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                     "Parquet cannot store these columns: " + status.message());
  }
  return std::static_pointer_cast<GroupNode>(converted->schema_root());
}

// The types of the leaves, in the order of the file's.
void AppendLeafTypes(const std::shared_ptr<arrow::DataType>& type,
                     std::vector<std::shared_ptr<arrow::DataType>>* leaves) {
  if (type->id() == arrow::Type::DICTIONARY) {
    return AppendLeafTypes(static_cast<const arrow::DictionaryType&>(*type).value_type(), leaves);
  }
  if (type->id() == arrow::Type::EXTENSION) {
    return AppendLeafTypes(static_cast<const arrow::ExtensionType&>(*type).storage_type(), leaves);
  }
  if (!arrow::is_nested(type->id())) return leaves->push_back(type);
  for (const auto& field : type->fields()) AppendLeafTypes(field->type(), leaves);
}

PlannedLeaf PlanLeaf(const parquet::ColumnDescriptor& column,
                     std::shared_ptr<arrow::DataType> type) {
  return {.path = column.path()->ToDotVector(),
          .type = std::move(type),
          .repeated = column.max_repetition_level() > 0,
          .field_id = column.schema_node()->field_id()};
}

Status PlanColumns(const parquet::SchemaDescriptor& descriptor, FilePlan* plan) {
  for (const auto& field : plan->schema->fields()) {
    PlannedColumn column;
    column.schema = arrow::schema({field});
    ARROW_ASSIGN_OR_RAISE(column.parquet_schema, ConvertSchema(*column.schema, *plan->properties,
                                                               *plan->arrow_properties));
    std::vector<std::shared_ptr<arrow::DataType>> types;
    AppendLeafTypes(field->type(), &types);
    column.first_leaf = static_cast<int>(plan->leaves.size());
    column.leaves = static_cast<int>(types.size());
    for (auto& type : types) {
      column.has_floats |= arrow::is_floating(type->id());
      const auto leaf = static_cast<int>(plan->leaves.size());
      if (leaf >= descriptor.num_columns()) break;
      plan->leaves.push_back(PlanLeaf(*descriptor.Column(leaf), std::move(type)));
    }
    plan->columns.push_back(std::move(column));
  }
  if (static_cast<int>(plan->leaves.size()) == descriptor.num_columns()) return Status::OK();
  return MakeError(ErrorKind::kInternal,
                   "the leaves of the Parquet schema are not those of " + plan->schema->ToString());
}

std::shared_ptr<const arrow::KeyValueMetadata> MetadataOf(const WriteOptions& options) {
  if (options.metadata.empty()) return nullptr;
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : options.metadata) metadata->Append(key, value);
  return metadata;
}

Result<std::shared_ptr<const FilePlan>> MakePlan(std::shared_ptr<arrow::Schema> schema,
                                                 const WriteOptions& options) {
  auto plan = std::make_shared<FilePlan>();
  plan->schema = std::move(schema);
  plan->options = options;
  plan->metadata = MetadataOf(options);
  plan->arrow_properties = parquet::ArrowWriterProperties::Builder().build();
  parquet::WriterProperties::Builder builder;
  ARROW_RETURN_NOT_OK(AddOptions(options, &builder));
  const auto general = builder.build();
  ARROW_ASSIGN_OR_RAISE(plan->parquet_schema,
                        ConvertSchema(*plan->schema, *general, *plan->arrow_properties));
  parquet::SchemaDescriptor descriptor;
  descriptor.Init(plan->parquet_schema);
  ARROW_RETURN_NOT_OK(AddColumnOptions(descriptor, options, &builder));
  plan->properties = builder.build();
  ARROW_RETURN_NOT_OK(PlanColumns(descriptor, plan.get()));
  return plan;
}

}  // namespace

Result<std::shared_ptr<const FilePlan>> FilePlan::Make(std::shared_ptr<arrow::Schema> schema,
                                                       const WriteOptions& options) {
  try {
    return MakePlan(std::move(schema), options);
  } catch (const parquet::ParquetException& error) {
    return BadOption(std::string("Parquet does not take these options: ") + error.what());
  }
}

}  // namespace amp::parquet_files
