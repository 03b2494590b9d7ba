#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

namespace amp::delta {

/// All files of a table, counted.
struct FileTotals {
  int64_t files = 0;
  int64_t bytes = 0;
  int64_t rows = 0;  ///< without those that deletion vectors take out
  /// Files whose statistics do not say how many rows they have; they are not in `rows`.
  int64_t files_without_rows = 0;
  /// False once another writer changed files in a way that cannot be counted without reading the
  /// log again (`LogReader::Load`).
  bool exact = true;
};

/// A table at one version, as far as a writer needs it: files are kept in memory only where
/// `Keep` says so, and counted all. Not thread-safe.
class AMP_EXPORT Snapshot {
 public:
  using Keep = std::function<bool(const Add&)>;
  using Files = std::unordered_map<std::string, Add>;

  /// Keeps every file where no `keep` is given.
  explicit Snapshot(Keep keep = {}) : keep_(std::move(keep)) {}

  int64_t version() const { return version_; }
  const Protocol& protocol() const { return *protocol_; }
  const Metadata& metadata() const { return *metadata_; }
  const std::map<std::string, Txn>& txns() const { return txns_; }
  const std::map<std::string, DomainMetadata>& domains() const { return domains_; }
  /// By `FileName::Key`.
  const Files& files() const { return files_; }
  const FileTotals& totals() const { return totals_; }
  /// Of the version's commit; none where its commit says none, or is not there any more.
  std::optional<int64_t> in_commit_timestamp() const { return in_commit_timestamp_; }
  /// The newest checkpoint that was there when the log was read; -1: none.
  int64_t checkpoint_version() const { return checkpoint_version_; }
  void set_checkpoint_version(int64_t version) { checkpoint_version_ = version; }

  /// The next version's commit. On error, the snapshot is as before.
  Status Advance(int64_t version, std::span<const Action> commit);
  /// Forgets kept files that `keep` no longer wants, such as those that have become final.
  void Forget(const Keep& keep);

  /// From the log read backwards, for its reader: each action that `LogReplay` keeps; `Finish`
  /// checks that the whole is a table.
  void Restore(const Action& action);
  Status Finish(int64_t version, std::optional<int64_t> in_commit_timestamp);

 private:
  void AddFile(const Add& add);
  void Count(const Add& add, int64_t sign);
  void ApplyAdd(const Add& add, bool commit_removes_too);
  void ApplyRemove(const Remove& remove);
  void ApplyState(const Action& action);

  Keep keep_;
  int64_t version_ = -1;
  int64_t checkpoint_version_ = -1;
  std::optional<Protocol> protocol_;
  std::optional<Metadata> metadata_;
  std::map<std::string, Txn> txns_;
  std::map<std::string, DomainMetadata> domains_;
  Files files_;
  FileTotals totals_;
  std::optional<int64_t> in_commit_timestamp_;
};

}  // namespace amp::delta
