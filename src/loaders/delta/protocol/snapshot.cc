#include "loaders/delta/protocol/snapshot.h"

#include <fmt/format.h>

namespace amp::delta {
namespace {

// Rows of a file that are still in the table.
std::optional<int64_t> LiveRows(const FileName& file, std::string_view stats) {
  const auto rows = NumRecords(stats);
  if (!rows || !file.deletion_vector) return rows;
  return *rows - file.deletion_vector->cardinality;
}

}  // namespace

void Snapshot::Count(const Add& add, int64_t sign) {
  totals_.files += sign;
  totals_.bytes += sign * add.size;
  if (const auto rows = LiveRows(add.file, add.stats)) {
    totals_.rows += sign * *rows;
  } else {
    totals_.files_without_rows += sign;
  }
}

void Snapshot::AddFile(const Add& add) {
  Count(add, 1);
  if (!keep_ || keep_(add)) files_.insert_or_assign(add.file.Key(), add);
}

void Snapshot::ApplyAdd(const Add& add, bool commit_removes_too) {
  const auto kept = files_.find(add.file.Key());
  if (kept != files_.end()) {
    // Again the same file: its statistics or tags have changed.
    Count(kept->second, -1);
    files_.erase(kept);
  } else if (keep_ && !add.data_change && !commit_removes_too) {
    // Of a file that is not kept: whether it was counted, nobody knows.
    totals_.exact = false;
    return;
  }
  AddFile(add);
}

void Snapshot::ApplyRemove(const Remove& remove) {
  const auto kept = files_.find(remove.file.Key());
  if (kept != files_.end()) {
    Count(kept->second, -1);
    files_.erase(kept);
    return;
  }
  if (!keep_) return;  // no file of the table
  const bool counted = remove.size && LiveRows(remove.file, remove.stats);
  totals_.exact = totals_.exact && counted;
  // Without statistics the file's rows cannot be taken off.
  Count({.file = remove.file, .size = remove.size.value_or(0), .stats = remove.stats}, -1);
  if (!counted) ++totals_.files_without_rows;
}

void Snapshot::ApplyState(const Action& action) {
  if (const auto* protocol = std::get_if<Protocol>(&action)) protocol_ = *protocol;
  if (const auto* metadata = std::get_if<Metadata>(&action)) metadata_ = *metadata;
  if (const auto* txn = std::get_if<Txn>(&action)) txns_.insert_or_assign(txn->app_id, *txn);
  if (const auto* info = std::get_if<CommitInfo>(&action)) {
    in_commit_timestamp_ = info->in_commit_timestamp;
  }
  if (const auto* domain = std::get_if<DomainMetadata>(&action)) {
    domains_.erase(domain->domain);
    if (!domain->removed) domains_.emplace(domain->domain, *domain);
  }
}

Status Snapshot::Advance(int64_t version, std::span<const Action> commit) {
  if (version != version_ + 1) {
    return MakeError(ErrorKind::kInternal,
                     fmt::format("version {} cannot follow {}", version, version_));
  }
  in_commit_timestamp_.reset();
  bool removes = false;
  // Removes first: a file whose deletion vector changed is removed and added in one commit.
  for (const Action& action : commit) {
    if (const auto* remove = std::get_if<Remove>(&action)) {
      ApplyRemove(*remove);
      removes = true;
    }
    ApplyState(action);
  }
  for (const Action& action : commit) {
    if (const auto* add = std::get_if<Add>(&action)) ApplyAdd(*add, removes);
  }
  version_ = version;
  return Status::OK();
}

void Snapshot::Forget(const Keep& keep) {
  if (!keep_) keep_ = keep;
  std::erase_if(files_, [&](const auto& entry) { return !keep(entry.second); });
}

void Snapshot::Restore(const Action& action) {
  if (const auto* add = std::get_if<Add>(&action)) {
    AddFile(*add);
  } else {
    ApplyState(action);
  }
}

Status Snapshot::Finish(int64_t version, std::optional<int64_t> in_commit_timestamp) {
  if (protocol_ && metadata_) {
    version_ = version;
    in_commit_timestamp_ = in_commit_timestamp;
    return Status::OK();
  }
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
                   fmt::format("the table's log has no {} up to version {}: it is not whole",
                               protocol_ ? "metaData" : "protocol", version));
}

}  // namespace amp::delta
