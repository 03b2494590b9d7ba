// Sources through the command: what can be read, and what broken input says.

#include <arrow/csv/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "cli/run_ampload.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

class SourceCli : public ::testing::Test {
 protected:
  CommandResult Load(std::vector<std::string> arguments, CommandOptions options = {}) {
    arguments.insert(arguments.begin(), "load");
    arguments.insert(arguments.end(), {"--table", "t", "--output", "json"});
    options.directory = folder_.path();
    return RunAmpload(arguments, options);
  }
  void ExpectRows(const std::vector<std::string>& arguments, int64_t rows,
                  const CommandOptions& options = {}) {
    const CommandResult result = Load(arguments, options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(Json::parse(result.out)["rows_loaded"], rows);
  }
  void ExpectError(const std::vector<std::string>& arguments, int code, const std::string& text,
                   const CommandOptions& options = {}) {
    const CommandResult result = Load(arguments, options);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos)
        << "'" << text << "' is not in: " << result.err;
    CommandOptions look;
    look.directory = folder_.path();
    const CommandResult info = RunAmpload({"info", "--table", "t", "--output", "json"}, look);
    EXPECT_EQ(Json::parse(info.out)["exists"], false) << "nothing must be stored";
  }
  std::string Sample(const std::string& name, int64_t blocks, uint64_t seed = 1) {
    const std::string path = folder_.file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    EXPECT_TRUE(WriteSampleLogs({.seed = seed, .blocks = blocks, .logs_per_block = 10}, path).ok());
    return path;
  }
  // As an Arrow stream.
  static std::string Stream(const arrow::RecordBatch& batch) {
    auto sink = *arrow::io::BufferOutputStream::Create();
    auto writer = *arrow::ipc::MakeStreamWriter(sink, batch.schema());
    EXPECT_TRUE(writer->WriteRecordBatch(batch).ok());
    EXPECT_TRUE(writer->Close().ok());
    return (*sink->Finish())->ToString();
  }

  TemporaryFolder folder_;
};

TEST_F(SourceCli, FilesGlobsAndDirectories) {
  Sample("d/a.parquet", 1, 1);
  Sample("d/b.parquet", 2, 2);
  Sample("d/deep/c.parquet", 4, 3);
  Sample("d/_hidden.parquet", 8, 4);
  ExpectRows({"--from", "d/a.parquet", "d/b.parquet"}, 30);
  ExpectRows({"--from", "d/[ab].parquet"}, 30);
  ExpectRows({"--from", "d"}, 70);
}

TEST_F(SourceCli, ColumnsAndWhere) {
  Sample("a.parquet", 20);
  ExpectRows({"--from", "a.parquet", "--columns", "log_index,block_num", "--where",
              "block_num >= 5 AND block_num < 7 AND log_index IN (1, 2)"},
             4);
  CommandOptions here;
  here.directory = folder_.path();
  const CommandResult show = RunAmpload({"show", "--table", "t", "--output", "json"}, here);
  EXPECT_EQ(show.out.substr(0, show.out.find('\n')), R"({"log_index":1,"block_num":"5"})");
}

TEST_F(SourceCli, StandardInputIsAnArrowStream) {
  ExpectRows({"--from", "-"}, 5, {.input = Stream(*SampleBatch(5))});
}

TEST_F(SourceCli, StandardInputAsCsvAndJsonLines) {
  ExpectRows({"--from", "-", "--format", "csv"}, 2, {.input = "a,b\n1,x\n2,y\n"});
  std::filesystem::remove_all(folder_.file("amp-data"));
  ExpectRows({"--from", "-", "--format", "jsonl"}, 2, {.input = "{\"a\":1}\n{\"a\":2}\n"});
  std::filesystem::remove_all(folder_.file("amp-data"));
  ExpectError({"--from", "-", "--format", "parquet"}, 2, "standard input");
}

TEST_F(SourceCli, MissingColumnsAreNull) {
  WriteFile(folder_.file("a.jsonl"), "{\"x\":1,\"y\":\"a\"}\n");
  WriteFile(folder_.file("b.jsonl"), "{\"x\":2,\"z\":true}\n");
  ExpectRows({"--from", "a.jsonl", "b.jsonl"}, 2);
  CommandOptions here;
  here.directory = folder_.path();
  const CommandResult show = RunAmpload({"show", "--table", "t", "--output", "json"}, here);
  EXPECT_EQ(show.out, "{\"x\":1,\"y\":\"a\",\"z\":null}\n{\"x\":2,\"y\":null,\"z\":true}\n");
}

TEST_F(SourceCli, ConflictingTypesAreRefusedByName) {
  WriteFile(folder_.file("a.csv"), "x\n1\n");
  WriteFile(folder_.file("b.csv"), "x\ntext\n");
  ExpectError({"--from", "a.csv", "b.csv"}, 5, "column 'x' is int64 in file 'a.csv' and string");
}

TEST_F(SourceCli, BrokenSourcesAreExitCode3) {
  const std::string good = Sample("good.parquet", 50);
  ExpectError({"--from", "none.parquet"}, 3, "'none.parquet': there is no such file");
  ExpectError({"--from", "*.nothing"}, 3, "'*.nothing': no file matches");
  std::filesystem::create_directories(folder_.file("empty_dir"));
  ExpectError({"--from", "empty_dir"}, 3, "'empty_dir'");
  WriteFile(folder_.file("empty.parquet"), "");
  ExpectError({"--from", "empty.parquet"}, 3, "file 'empty.parquet': is empty");
  std::filesystem::copy_file(good, folder_.file("cut.parquet"));
  std::filesystem::resize_file(folder_.file("cut.parquet"), 5000);
  ExpectError({"--from", "cut.parquet"}, 3, "file 'cut.parquet': cannot be read as parquet");
  WriteFile(folder_.file("fake.arrow"), "this is no arrow file at all");
  ExpectError({"--from", "fake.arrow"}, 3, "file 'fake.arrow': cannot be read as arrow");
  WriteFile(folder_.file("unknown.bin"), "what is this");
  ExpectError({"--from", "unknown.bin"}, 2, "--format");
  ExpectError({"--from", "-"}, 3, "standard input", {.input = "no arrow stream"});
  WriteFile(folder_.file("bad.csv"), "a,b\n1,2\n3\n");
  ExpectError({"--from", "bad.csv"}, 3, "bad.csv");
  WriteFile(folder_.file("bad.jsonl"), "{\"a\":1}\n{\"a\":");
  ExpectError({"--from", "bad.jsonl"}, 3, "bad.jsonl");
}

TEST_F(SourceCli, ABreakInTheMiddleOfAFileRollsTheLoadBack) {
  const std::string path = Sample("a.parquet", 5000);
  // A page in the middle is overwritten; the footer, and so the schema, is whole.
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) / 2));
  file << std::string(20'000, '\xAA');
  file.close();
  ExpectError({"--from", "a.parquet"}, 3, "file 'a.parquet'");
}

TEST_F(SourceCli, UnknownColumnsAndBrokenExpressions) {
  Sample("a.parquet", 1);
  ExpectError({"--from", "a.parquet", "--columns", "block_nun"}, 2, "did you mean 'block_num'?");
  ExpectError({"--from", "a.parquet", "--where", "blocknum = 1"}, 2, "did you mean 'block_num'?");
  ExpectError({"--from", "a.parquet", "--where", "block_num ="}, 2, "character 12");
  ExpectError({"--from", "a.parquet", "--where", "block_num = 'x'"}, 2, "uint64");
}

TEST_F(SourceCli, CtrlCRollsTheLoadBackWithExitCode130) {
  // Standard input stays open and silent: the load waits.
  const std::string fifo = folder_.file("fifo");
  ASSERT_EQ(std::system(("mkfifo " + fifo).c_str()), 0);
  const CommandResult result =
      RunAmpload({"load", "--from", "-", "--table", "t"},
                 {.interrupt_after_ms = 500, .directory = folder_.path(), .input_path = fifo});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_NE(result.err.find("rolled back"), std::string::npos) << result.err;
}

TEST_F(SourceCli, FullDiskStoresNothing) {
  Sample("small.parquet", 10);
  Sample("large.parquet", 5000);
  ExpectRows({"--from", "small.parquet"}, 100);
  const CommandResult result = Load({"--from", "large.parquet"}, {.file_size_limit = 1 << 20});
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_NE(result.err.find("ulimit"), std::string::npos) << result.err;
  CommandOptions here;
  here.directory = folder_.path();
  const CommandResult info = RunAmpload({"info", "--table", "t", "--output", "json"}, here);
  EXPECT_EQ(Json::parse(info.out)["row_count"], 100);
}

}  // namespace
}  // namespace amp::testing
