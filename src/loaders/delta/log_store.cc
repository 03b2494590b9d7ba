#include "loaders/delta/log_store.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include "loaders/delta/protocol/action_json.h"

namespace amp::delta {

LogStore::LogStore(std::shared_ptr<storage::ObjectStore> store, std::string folder)
    : store_(std::move(store)), folder_(std::move(folder)) {}

std::string LogStore::TablePath(std::string_view path) const {
  return folder_.empty() ? std::string(path) : fmt::format("{}/{}", folder_, path);
}

std::string LogStore::LogPath(std::string_view name) const {
  return TablePath(fmt::format("{}/{}", kLogFolder, name));
}

Result<std::vector<LogFile>> LogStore::List(int64_t from_version) const {
  storage::ObjectStore::ListOptions options;
  if (from_version > 0) options.after = LogPath(VersionPrefix(from_version));
  const std::string folder = TablePath(kLogFolder);
  ARROW_ASSIGN_OR_RAISE(const auto objects, store_->List(folder, options));
  std::vector<LogFile> files;
  for (const storage::ObjectInfo& object : objects) {
    const std::string_view name = std::string_view(object.path).substr(object.path.rfind('/') + 1);
    auto file = ParseLogFileName(name);
    if (!file) continue;
    file->size = object.size;
    file->modified_at = object.modified_at;
    files.push_back(*std::move(file));
  }
  return files;
}

Result<std::optional<std::string>> LogStore::ReadText(std::string_view name) const {
  ARROW_ASSIGN_OR_RAISE(const auto buffer, NoneIfNotFound(store_->Read(LogPath(name))));
  if (!buffer) return std::nullopt;
  return std::optional((*buffer)->ToString());
}

Result<std::optional<std::vector<Action>>> LogStore::ReadCommit(int64_t version) const {
  const std::string name = CommitName(version);
  ARROW_ASSIGN_OR_RAISE(const auto text, ReadText(name));
  if (!text) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto actions, ParseActions(*text, store_->Describe(LogPath(name))));
  return std::optional(std::move(actions));
}

Result<std::optional<LastCheckpoint>> LogStore::ReadLastCheckpoint() const {
  ARROW_ASSIGN_OR_RAISE(const auto text, ReadText(kLastCheckpoint));
  return text ? ParseLastCheckpoint(*text) : std::nullopt;
}

}  // namespace amp::delta
