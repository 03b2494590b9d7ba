#include "conformance/delta_writers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "cli/run_ampload.h"

namespace amp::testing {
namespace {

void WriteInThread(const Writers& writers, const std::string& table, int writer) {
  const auto schema =
      arrow::schema({arrow::field("writer", arrow::int64()), arrow::field("n", arrow::int64())});
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Registry::Global().Make("delta", writers.config));
  AMP_ASSERT_OK(loader->Connect());
  for (int n = 0; n < writers.commits; ++n) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto rows,
                             BatchFromJson(schema, fmt::format(R"([{{"writer":{0},"n":{1}}},)"
                                                               R"({{"writer":{0},"n":{2}}}])",
                                                               writer, 2 * n, 2 * n + 1)));
    AMP_ASSERT_OK(loader->LoadBatch(*rows, table).status);
  }
}

void WriteByProcesses(const Writers& writers, const std::string& table, int writer) {
  CommandOptions options{.environment = writers.environment};
  for (int n = 0; n < writers.commits; ++n) {
    options.input = fmt::format("writer,n\n{0},{1}\n{0},{2}\n", writer, 2 * n, 2 * n + 1);
    const CommandResult result = RunAmpload(
        {"load", "--from", "-", "--format", "csv", "--to", writers.to, "--table", table, "--quiet"},
        options);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
}

}  // namespace

int RunWriters(const Writers& writers, const std::string& table) {
  std::vector<std::thread> threads;
  for (int i = 0; i < writers.threads + writers.processes; ++i) {
    const auto write = i < writers.threads ? &WriteInThread : &WriteByProcesses;
    threads.emplace_back([&writers, &table, i, write] { write(writers, table, i); });
  }
  for (std::thread& thread : threads) thread.join();
  return (writers.threads + writers.processes) * writers.commits;
}

}  // namespace amp::testing
