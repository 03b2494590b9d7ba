#include "interop/delta/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "loaders/delta/protocol/actions.h"
#include "storage/open_store.h"

namespace amp::delta {
namespace {

nlohmann::json AsJson(const Add& add) {
  nlohmann::json values = nlohmann::json::object();
  for (const auto& [name, value] : add.partition_values) {
    values[name] = value ? nlohmann::json(*value) : nlohmann::json();
  }
  return nlohmann::json::array(
      {add.file.path, add.size, NumRecords(add.stats).value_or(-1), std::move(values)});
}

}  // namespace

nlohmann::json RunTables(const std::string& arguments) {
  const std::string command =
      fmt::format("'{}' '{}' {}", AMPLOAD_PYTHON, AMPLOAD_DELTA_TABLES, arguments);
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  std::array<char, 4096> piece{};
  while (const size_t read = fread(piece.data(), 1, piece.size(), pipe)) {
    text.append(piece.data(), read);
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

WrittenTable::WrittenTable(int commits, int interval) : folder_(temporary_.path() + "/table") {
  RunTables(fmt::format("write '{}' {} {}", folder_, commits, interval));
}

LogReader WrittenTable::Reader() const {
  return LogReader(LogStore(storage::OpenStore(folder_, {}).ValueOrDie(), ""));
}

nlohmann::json WrittenTable::TheirFiles(int64_t version) const {
  return RunTables(fmt::format("files '{}' {}", folder_, version));
}

nlohmann::json WrittenTable::OurFiles(int64_t version) const {
  const auto snapshot = Reader().LoadAt(version);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status().ToString();
  return snapshot.ok() ? FilesAsJson(*snapshot) : nlohmann::json();
}

nlohmann::json WrittenTable::ReadBy(const std::string& reader) const {
  return RunTables(fmt::format("read '{}' {}", folder_, reader));
}

nlohmann::json FilesAsJson(const Snapshot& snapshot) {
  std::vector<nlohmann::json> files;
  for (const auto& [key, add] : snapshot.files()) files.push_back(AsJson(add));
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a[0] < b[0]; });
  return files;
}

}  // namespace amp::delta
