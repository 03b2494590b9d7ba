#pragma once

#include <optional>
#include <string>
#include <vector>

#include "amp/config.h"

/// What `ampload run` reads of its file; `ampload init` writes an example of it.
namespace amp::cli {

/// [streams.NAME] of the file.
struct StreamSection {
  std::string from, query, to, table;
  std::string stream = "main", mode = "append", until = "never", idle = "2s";
  std::vector<std::string> key;
  std::optional<int64_t> max_undo;
  int64_t finality = 0;
  bool adopt = false, accept_query = false;

  static constexpr auto Fields() {
    using S = StreamSection;
    return std::make_tuple(
        Field("from", &S::from, "URL of the server, or a source's name").Required(),
        Field("query", &S::query, "SQL whose rows are streamed").Required(),
        Field("to", &S::to, "URL or a target's name"),
        Field("table", &S::table, "Table; left out: the section's name"),
        Field("stream", &S::stream, "Name of the stream within the table"),
        Field("mode", &S::mode, "append, upsert or merge"), Field("key", &S::key, "Key columns"),
        Field("until", &S::until, "never, caught-up or a block number"),
        Field("idle", &S::idle, "How long nothing newer must have come to be caught up"),
        Field("max_undo", &S::max_undo, "Most blocks that a reorganisation may undo"),
        Field("finality", &S::finality, "Write only blocks that so many others follow"),
        Field("adopt", &S::adopt, "Take a table that was not made for streams"),
        Field("accept_query", &S::accept_query, "Go on although the query's text has changed"));
  }
};

/// [loads.NAME] of the file.
struct LoadSection {
  std::vector<std::string> from, columns, key;
  std::string to, table, format, where;
  std::string mode = "append";
  std::optional<std::string> job;
  bool adopt = false;

  static constexpr auto Fields() {
    using S = LoadSection;
    return std::make_tuple(
        Field("from", &S::from, "Files, globs or directories").Required(),
        Field("to", &S::to, "URL or a target's name"),
        Field("table", &S::table, "Table; left out: the section's name"),
        Field("format", &S::format, "parquet, arrow, csv or jsonl"),
        Field("columns", &S::columns, "Columns to load"), Field("where", &S::where, "Rows to load"),
        Field("mode", &S::mode, "append, overwrite, upsert or merge"),
        Field("key", &S::key, "Key columns"),
        Field("job", &S::job,
              "Name of the job: run again, it loads only what "
              "is missing"),
        Field("adopt", &S::adopt, "With job: take a table that was not made for streams"));
  }
};

}  // namespace amp::cli
