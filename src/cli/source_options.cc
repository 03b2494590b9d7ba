#include "cli/source_options.h"

#include "core/text.h"

namespace amp::cli {

void AddSourceOptions(CLI::App* command, SourceArguments* arguments) {
  command
      ->add_option(
          "--from", arguments->from,
          "Files, globs or directories, also s3://BUCKET/…; - is an Arrow stream on standard "
          "input")
      ->required()
      ->type_name("PATH…");
  command
      ->add_option("--format", arguments->format,
                   "parquet, arrow, csv or jsonl; else told from "
                   "name and content")
      ->type_name("FORMAT");
  command->add_option("--columns", arguments->columns, "Columns to load, such as a,b")
      ->type_name("LIST");
  command
      ->add_option(
          "--where", arguments->where,
          "Rows to load: column op literal, joined by AND; ops = != < <= > >= IN, IS NULL, "
          "IS NOT NULL")
      ->type_name("EXPR");
}

Result<FileSourceOptions> MakeSourceOptions(const SourceArguments& arguments,
                                            const PipelineOptions& pipeline,
                                            const std::atomic<bool>* stop) {
  FileSourceOptions options;
  options.paths = arguments.from;
  options.columns = SplitList(arguments.columns);
  options.where = arguments.where;
  options.batch_rows = pipeline.batch_rows;
  options.stop = stop;
  if (!arguments.format.empty()) {
    ARROW_ASSIGN_OR_RAISE(options.format, ParseFileFormat(arguments.format));
  }
  return options;
}

Result<FileSource> OpenSource(const SourceArguments& arguments, const PipelineOptions& pipeline,
                              const std::atomic<bool>* stop) {
  ARROW_ASSIGN_OR_RAISE(const FileSourceOptions options,
                        MakeSourceOptions(arguments, pipeline, stop));
  return OpenFiles(options);
}

void AddModeOptions(CLI::App* command, ModeArguments* arguments) {
  command->add_option("--mode", arguments->mode, "append, overwrite, upsert or merge")
      ->type_name("MODE");
  command->add_option("--key", arguments->key, "Key columns, such as a,b")->type_name("LIST");
}

Result<LoadOptions> MakeLoadOptions(const ModeArguments& arguments) {
  LoadOptions options;
  ARROW_ASSIGN_OR_RAISE(options.mode, ParseLoadMode(arguments.mode));
  options.key = SplitList(arguments.key);
  return options;
}

}  // namespace amp::cli
