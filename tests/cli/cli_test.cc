// The command as such: what it prints, how it ends, what it says of wrong usage.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "amp/loader.h"
#include "amp/testing/servers.h"
#include "cli/run_ampload.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteSampleLogs({.seed = 1, .blocks = 10, .logs_per_block = 10}, file_).ok());
  }
  CommandResult Run(const std::vector<std::string>& arguments, CommandOptions options = {}) {
    options.directory = folder_.path();
    return RunAmpload(arguments, options);
  }
  void ExpectError(const std::vector<std::string>& arguments, int code, const std::string& text,
                   const CommandOptions& options = {}) {
    const CommandResult result = Run(arguments, options);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos)
        << "'" << text << "' is not in: " << result.err;
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_.file("logs.parquet");
};

TEST_F(Cli, AllBuiltInLoadersAreThere) {
  std::vector<std::string_view> names;
  for (const LoaderEntry* entry : Registry::Global().entries())
    names.push_back(entry->traits->name);
  EXPECT_EQ(names, (std::vector<std::string_view>{"delta", "lmdb", "postgresql"}));
  EXPECT_TRUE(MissingLoaders().empty());
}

TEST_F(Cli, LoadPrintsOneResultObject) {
  const CommandResult result =
      Run({"load", "--from", file_, "--table", "logs", "--output", "json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["success"], true);
  EXPECT_EQ(json["rows_loaded"], 100);
  EXPECT_EQ(json["table_name"], "logs");
  EXPECT_EQ(json["loader"], "delta");
  EXPECT_EQ(json["mode"], "append");
  EXPECT_EQ(json["error"], nullptr);
  EXPECT_EQ(json["metadata"]["operation"], "load_table");
  EXPECT_EQ(json["metadata"]["total_rows"], 100);
  EXPECT_EQ(json["metadata"]["schema_fields"], 9);
  EXPECT_GT(json["duration_seconds"].get<double>(), 0);
  EXPECT_TRUE(std::filesystem::exists(folder_.file("amp-data/logs/_delta_log")))
      << "without --to, rows go to delta:./amp-data";
}

TEST_F(Cli, AFailedLoadPrintsItsResultToo) {
  const CommandResult result =
      Run({"load", "--from", "nope.parquet", "--table", "logs", "--output", "json"});
  EXPECT_EQ(result.exit_code, 3);
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["success"], false);
  EXPECT_NE(json["error"].get<std::string>().find("nope.parquet"), std::string::npos);
}

TEST_F(Cli, ShowAndInfoAgreeWithWhatWasLoaded) {
  ASSERT_EQ(Run({"load", "--from", file_, "--table", "logs"}).exit_code, 0);
  const CommandResult show = Run({"show", "--table", "logs", "--limit", "3", "--output", "json"});
  std::istringstream lines(show.out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const Json row = Json::parse(line);
    EXPECT_EQ(row.size(), 9U) << "every column, null as null";
    EXPECT_EQ(row["log_index"], count);
    EXPECT_EQ(row["timestamp"], "2023-11-14T22:13:20.000000Z");
    EXPECT_EQ(row["address"].get<std::string>().substr(0, 2), "0x");
  }
  EXPECT_EQ(count, 3);
  const Json info = Json::parse(Run({"info", "--table", "logs", "--output", "json"}).out);
  EXPECT_EQ(info["exists"], true);
  EXPECT_EQ(info["row_count"], 100);
  EXPECT_EQ(info["columns"].size(), 9U);
  EXPECT_EQ(info["columns"][0]["name"], "block_num");
  EXPECT_EQ(info["columns"][0]["nullable"], false);
  EXPECT_GT(info["size_bytes"], 0);
  const Json none = Json::parse(Run({"info", "--table", "none", "--output", "json"}).out);
  EXPECT_EQ(none["exists"], false);
}

TEST_F(Cli, CheckWritesNothing) {
  const CommandResult result = Run({"check", "--from", file_, "--to", "lmdb:./amp-data", "--table",
                                    "logs", "--key", "block_num,log_index", "--output", "json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["exists"], false);
  EXPECT_EQ(json["columns"][0]["note"], "in the key");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("amp-data")));
}

TEST_F(Cli, WrongUsageIsExitCode2) {
  ExpectError({}, 2, "subcommand is required");
  ExpectError({"load"}, 2, "required");
  ExpectError({"lod"}, 2, "ampload --help");
  ExpectError({"load", "--from", file_, "--table", "t", "--mode", "replace"}, 2,
              "append, overwrite");
  ExpectError({"load", "--from", file_, "--to", "lmdb:x", "--table", "t", "--mode", "merge"}, 2,
              "merge needs a key");
  ExpectError({"load", "--from", file_, "--table", "t", "--mode", "merge", "--key", "log_index"}, 2,
              "it has: append, overwrite");
  ExpectError({"load", "--from", file_, "--table", "t", "--to", "lmbd:x"}, 2,
              "did you mean 'lmdb'?");
  ExpectError({"load", "--from", file_, "--table", "t", "--to", "lmbd:x"}, 2, "postgresql");
  ExpectError({"load", "--from", file_, "--table", "t", "--to", "prod"}, 2, "no config file");
  ExpectError({"load", "--from", file_, "--table", ""}, 2, "");
  ExpectError({"load", "--from", file_, "--to", "lmdb:x", "--table", "t", "--set", "map_sise=1MiB"},
              2, "did you mean 'map_size'?");
  ExpectError({"load", "--from", file_, "--to", "lmdb:x", "--table", "t", "--set", "map_size=big"},
              2, "a size such as");
  ExpectError({"load", "--from", file_, "--to", "lmdb:x", "--table", "t", "--set", "sync=maybe"}, 2,
              "true or false");
  ExpectError({"load", "--from", file_, "--table", "t", "--set", "batch_rows=0"}, 2, "between 1");
  ExpectError({"load", "--from", file_, "--table", "t", "--set", "novalue"}, 2, "option=value");
  ExpectError({"load", "--from", file_, "--table", "t", "--to", "lmdb:"}, 2, "'path' is missing");
  ExpectError({"show", "--table", "none"}, 4, "no Delta table in ./amp-data/none");
  ExpectError({"show", "--to", "lmdb:x", "--table", "none"}, 4, "no table 'none'");
}

TEST_F(Cli, ConfigFileNamesTargets) {
  WriteFile(
      folder_.file("ampload.toml"),
      "[targets.here]\nurl = \"lmdb:from_file\"\nkey_columns = [\"block_num\", \"log_index\"]\n"
      "[targets.bad]\nloader = \"lmdb\"\npath = 7\n[pipeline]\nbatch_rows = 10\n");
  const CommandResult result =
      Run({"load", "--from", file_, "--to", "here", "--table", "t", "--output", "json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out)["metadata"]["batch_count"], 10);
  EXPECT_TRUE(std::filesystem::exists(folder_.file("from_file/data.mdb")));
  const Json info =
      Json::parse(Run({"info", "--to", "here", "--table", "t", "--output", "json"}).out);
  EXPECT_EQ(info["key_columns"], (Json{"block_num", "log_index"}));
  ExpectError({"info", "--to", "bad", "--table", "t"}, 2, "[targets.bad] in ampload.toml");
  ExpectError({"info", "--to", "hree", "--table", "t"}, 2, "bad, here");
  WriteFile(folder_.file("broken.toml"), "[targets\n");
  ExpectError({"info", "--to", "here", "--table", "t", "--config", "broken.toml"}, 2, "line 1");
}

TEST_F(Cli, FlagsGoBeforeTheEnvironmentAndThatBeforeTheFile) {
  WriteFile(folder_.file("ampload.toml"), "[targets.t]\nloader = \"lmdb\"\npath = \"from_file\"\n");
  const std::vector<std::string> load{"load", "--from", file_, "--to", "t", "--table", "t"};
  EXPECT_EQ(Run(load, {.environment = {"AMPLOAD_LMDB_PATH=from_env"}}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_.file("from_env")));
  std::vector<std::string> flagged = load;
  flagged.insert(flagged.end(), {"--set", "path=from_flag"});
  EXPECT_EQ(Run(flagged, {.environment = {"AMPLOAD_LMDB_PATH=from_env2"}}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_.file("from_flag")));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("from_env2")));
}

TEST_F(Cli, InitWritesAFileThatWorks) {
  ASSERT_EQ(Run({"init", "lmdb:./made"}).exit_code, 0);
  const CommandResult result = Run({"load", "--from", file_, "--to", "main", "--table", "t"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(std::filesystem::exists(folder_.file("made/data.mdb")));
  ExpectError({"init", "lmdb:./made"}, 2, "exists already");
  const CommandResult printed = Run({"init", "postgresql://u:secret@h/db", "-"});
  EXPECT_NE(printed.out.find("host = \"h\""), std::string::npos) << printed.out;
  EXPECT_EQ(printed.out.find("secret@"), std::string::npos);
  EXPECT_EQ(printed.out.find("\"secret\""), std::string::npos) << "no password in the file";
}

TEST_F(Cli, LoadersShowEveryOption) {
  const CommandResult all = Run({"loaders"});
  EXPECT_NE(all.out.find("postgresql"), std::string::npos);
  const Json schema = Json::parse(Run({"loaders", "postgresql", "--output", "json"}).out);
  EXPECT_EQ(schema["properties"]["password"]["writeOnly"], true);
  EXPECT_EQ(schema["properties"]["port"]["maximum"], 65535);
  EXPECT_EQ(Json::parse(Run({"loaders", "lmdb", "--output", "json"}).out)["required"],
            Json{"path"});
  ExpectError({"loaders", "mysql"}, 2, "no loader 'mysql'");
}

TEST_F(Cli, CompletionScriptsAreValidForTheirShells) {
  const CommandResult bash = Run({"completion", "bash"});
  EXPECT_EQ(bash.exit_code, 0);
  const std::string script = WriteFile(folder_.file("completion.bash"), bash.out);
  EXPECT_EQ(std::system(("bash -n " + script).c_str()), 0);
  for (const char* word : {"load", "--from", "show", "--limit"}) {
    EXPECT_NE(bash.out.find(word), std::string::npos) << word;
    EXPECT_NE(Run({"completion", "fish"})
                  .out.find(std::string(word).erase(0, std::string(word).find_first_not_of('-'))),
              std::string::npos)
        << word;
  }
  EXPECT_NE(Run({"completion", "zsh"}).out.find("#compdef ampload"), std::string::npos);
  ExpectError({"completion", "tcsh"}, 2, "tcsh");
}

TEST_F(Cli, DemoTellsItsStoryAndLeavesNothing) {
  const CommandResult result = Run({"demo"}, {.environment = {"TMPDIR=" + folder_.path()}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("60,000 in the table, equal"), std::string::npos) << result.out;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().filename().string().find("ampload-demo"), std::string::npos);
  }
}

TEST_F(Cli, QuietAndPipedOutputHaveNoProgressOnStdout) {
  const CommandResult result = Run({"-q", "load", "--from", file_, "--table", "t"});
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1);
}

TEST_F(Cli, ErrorsAsJsonAreAnObjectALine) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--log-format", "json", "show", "--table", "no \"such\\ \n\xff"},
        {"--log-format", "json", "show"}}) {
    const CommandResult result = Run(arguments);
    EXPECT_NE(result.exit_code, 0);
    ASSERT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    const Json line = Json::parse(result.err);
    EXPECT_EQ(line["level"], "error");
    EXPECT_EQ(line["time"].get<std::string>().size(),
              std::string("2026-01-31T12:00:00.123Z").size())
        << result.err;
    EXPECT_FALSE(line["message"].get<std::string>().empty());
  }
  ExpectError({"--log-format", "xml", "show", "--table", "t"}, 2, "json");
}

TEST_F(Cli, TheLogAsJsonIsAnObjectALine) {
  const CommandResult result =
      Run({"-vv", "--log-format", "json", "load", "--from", file_, "--table", "t"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.err);
  for (std::string line; std::getline(lines, line);) {
    const Json entry = Json::parse(line, nullptr, false);
    ASSERT_TRUE(entry.is_object()) << line;
    EXPECT_TRUE(entry.contains("time") && entry.contains("level") && entry.contains("message"));
  }
  EXPECT_NE(result.err.find(R"("level":"info")"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace amp::testing
