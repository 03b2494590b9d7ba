#include "cli/stream_options.h"

#include <charconv>

#include "amp/amp_source.h"
#include "cli/config_file.h"
#include "cli/read_duration.h"
#include "core/text.h"

namespace amp::cli {
namespace {

Result<ConfigMap> ReadSourceSet(const std::vector<std::string>& set) {
  ConfigMap values;
  for (const std::string& entry : set) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("--source-set {}: write option=value", entry.substr(0, equals)));
    }
    values.insert_or_assign(entry.substr(0, equals), ConfigValue{.value = entry.substr(equals + 1),
                                                                 .origin = "--source-set"});
  }
  return values;
}

bool IsUrl(const std::string& from) { return from.starts_with("grpc"); }

Status SetUntil(const std::string& text, StreamOptions* options) {
  if (text == "never") return Status::OK();
  if (text == "caught-up") {
    options->until_caught_up = true;
    return Status::OK();
  }
  uint64_t block = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), block);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("--until {}: must be never, caught-up or a block number", text));
  }
  options->until_block = block;
  return Status::OK();
}

}  // namespace

void AddQueryOptions(CLI::App* command, StreamArguments* arguments) {
  command->add_option("--query", arguments->query, "SQL whose rows are streamed")->type_name("SQL");
  command
      ->add_option(
          "--source-set", arguments->source_set,
          "option=value of the source, such as token_file=PATH (repeatable); `ampload init "
          "delta:. -` lists them")
      ->type_name("OPTION=VALUE")
      ->take_all()
      ->allow_extra_args(false);
}

void AddStreamOptions(CLI::App* command, StreamArguments* arguments) {
  command
      ->add_option(
          "--from", arguments->from,
          "Amp server, such as grpc://host:1602 or grpc+tls://host, or a source's name from "
          "the config file")
      ->required()
      ->type_name("URL");
  AddQueryOptions(command, arguments);
  command->get_option("--query")->required();
  command->add_option("--stream", arguments->stream, "Name of the stream within the table (main)")
      ->type_name("NAME");
  command->add_option("--mode", arguments->mode, "append, upsert or merge")->type_name("MODE");
  command->add_option("--key", arguments->key, "Key columns, such as a,b")->type_name("LIST");
  command
      ->add_option("--until", arguments->until,
                   "When to end: never, caught-up, or a block number (never)")
      ->type_name("WHEN");
  command
      ->add_option("--idle", arguments->idle,
                   "With --until caught-up: how long nothing newer must have come (2s)")
      ->type_name("DURATION");
  command
      ->add_option("--max-undo", arguments->max_undo,
                   "Most blocks that a reorganisation may undo; left out: the option retention")
      ->type_name("BLOCKS");
  command
      ->add_option("--finality", arguments->finality,
                   "Write only blocks that so many others follow (0)")
      ->type_name("BLOCKS");
  command->add_flag("--adopt", arguments->adopt,
                    "Take a table that was not made for streams; its rows stay");
  command->add_flag("--accept-query", arguments->accept_query,
                    "Go on although the text of the query has changed");
}

bool IsStreamSource(const CommonOptions& common, const std::string& from) {
  if (IsUrl(from)) return true;
  const auto file = ReadConfigFile(common.config);
  return file.ok() && file->sources.contains(from);
}

Result<std::unique_ptr<StreamSource>> OpenStreamSource(const CommonOptions& common,
                                                       const StreamArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const ConfigFile file, ReadConfigFile(common.config));
  ARROW_ASSIGN_OR_RAISE(ConfigMap values, ReadSourceSet(arguments.source_set));
  values.merge(EnvironmentConfig("source", FieldsOf<AmpSourceOptions>()));
  std::string url = arguments.from;
  if (const auto named = file.sources.find(url); named != file.sources.end()) {
    ConfigMap from_file = named->second;
    const auto entry = from_file.find("url");
    if (entry == from_file.end() || !std::holds_alternative<std::string>(entry->second.value)) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("source '{}' in the config file has no url", url));
    }
    url = std::get<std::string>(entry->second.value);
    from_file.erase(entry);
    values.merge(from_file);
  } else if (!IsUrl(url)) {
    return MakeError(
        ErrorKind::kConfigInvalid,
        fmt::format("--from {}: neither a URL (grpc://…, grpc+tls://…) nor the name of "
                    "a source in the config file",
                    RedactUrl(url)));
  }
  if (arguments.query.empty()) {
    return MakeError(ErrorKind::kConfigInvalid, "--query is empty; say what is to be streamed");
  }
  ARROW_ASSIGN_OR_RAISE(const auto options, ParseConfig<AmpSourceOptions>("source", values));
  return OpenAmpSource(url, arguments.query, options);
}

Result<std::unique_ptr<StreamSource>> OpenQuerySource(const CommonOptions& common,
                                                      const SourceArguments& source,
                                                      StreamArguments stream) {
  if (source.from.size() != 1) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "--query asks one server: give it as --from grpc://HOST:PORT");
  }
  if (!source.format.empty() || !source.columns.empty() || !source.where.empty()) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "--format, --columns and --where are for files; put them into the --query");
  }
  if (stream.query.empty()) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("--from {} is a server of streams: say with --query what is asked",
                                 RedactUrl(source.from.front())));
  }
  stream.from = source.from.front();
  return OpenStreamSource(common, stream);
}

Result<StreamOptions> MakeStreamOptions(const StreamArguments& arguments,
                                        const PipelineOptions& pipeline) {
  StreamOptions options{.stream = arguments.stream, .pipeline = pipeline};
  ARROW_ASSIGN_OR_RAISE(options.mode, ParseLoadMode(arguments.mode));
  if (options.mode == LoadMode::kOverwrite) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "--mode overwrite: a stream has no end that could replace a table; its modes "
                     "are append, upsert and merge");
  }
  options.key = SplitList(arguments.key);
  options.adopt = arguments.adopt;
  options.accept_query = arguments.accept_query;
  options.max_undo = arguments.max_undo;
  options.finality = arguments.finality;
  ARROW_RETURN_NOT_OK(SetUntil(arguments.until, &options));
  ARROW_ASSIGN_OR_RAISE(options.idle, ReadDuration("idle", arguments.idle));
  return options;
}

}  // namespace amp::cli
