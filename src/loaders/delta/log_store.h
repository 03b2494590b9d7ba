#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"
#include "loaders/delta/protocol/log_files.h"
#include "storage/object_store.h"

namespace amp::delta {

/// The `_delta_log` of one table within a store. Thread-safe.
class AMP_EXPORT LogStore {
 public:
  /// `folder` is the table's, within the store; empty where the store is the table's folder.
  LogStore(std::shared_ptr<storage::ObjectStore> store, std::string folder);

  storage::ObjectStore& store() const { return *store_; }
  /// Of a file below the table's folder, as the store wants it.
  std::string TablePath(std::string_view path) const;
  std::string LogPath(std::string_view name) const;
  /// For messages.
  std::string Describe() const { return store_->Describe(folder_); }

  /// The log's files of `version` and above, in the order of their names.
  Result<std::vector<LogFile>> List(int64_t from_version = 0) const;
  /// The whole text; none where there is no such file.
  Result<std::optional<std::string>> ReadText(std::string_view name) const;
  /// None where there is no such commit (yet, or any more).
  Result<std::optional<std::vector<Action>>> ReadCommit(int64_t version) const;
  /// `_last_checkpoint`, where it is usable.
  Result<std::optional<LastCheckpoint>> ReadLastCheckpoint() const;

 private:
  std::shared_ptr<storage::ObjectStore> store_;
  std::string folder_;
};

/// NotFound becomes "none"; other errors stay.
template <class T>
Result<std::optional<T>> NoneIfNotFound(Result<T> result) {
  if (result.ok()) return std::optional<T>(std::move(result).ValueUnsafe());
  if (KindOf(result.status()) == ErrorKind::kNotFound) return std::optional<T>();
  return result.status();
}

}  // namespace amp::delta
