#include "loaders/delta/protocol/conflict.h"

#include <fmt/format.h>

namespace amp::delta {
namespace {

const CommitInfo* InfoOf(std::span<const Action> commit) {
  for (const Action& action : commit) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) return info;
  }
  return nullptr;
}

// What of ours another commit could touch.
struct Ours {
  std::set<std::string> app_ids;
  std::set<std::string> domains;
  // By path alone: a deletion vector that another sets makes a new logical file of the same path.
  std::set<std::string> removed_paths;
};

Ours Collect(std::span<const Action> actions) {
  Ours ours;
  for (const Action& action : actions) {
    if (const auto* txn = std::get_if<Txn>(&action)) ours.app_ids.insert(txn->app_id);
    if (const auto* domain = std::get_if<DomainMetadata>(&action)) {
      ours.domains.insert(domain->domain);
    }
    if (const auto* remove = std::get_if<Remove>(&action)) {
      ours.removed_paths.insert(remove->file.path);
    }
  }
  return ours;
}

struct Found {
  ConflictKind kind;
  std::string what;
};

class Judge {
 public:
  Judge(const CommitIntent& intent, const CommitInfo* winner)
      : ours_(Collect(intent.actions)), reads_table_(intent.read == ReadScope::kTable) {
    const bool blind = winner != nullptr && winner->is_blind_append.value_or(false);
    appends_matter_ = reads_table_ && (intent.serializable || !blind);
  }

  std::optional<Found> operator()(const Protocol&) const {
    return Found{ConflictKind::kProtocol, "it changed the table's protocol"};
  }
  std::optional<Found> operator()(const Metadata&) const {
    return Found{ConflictKind::kMetadata, "it changed the table's schema or properties"};
  }
  std::optional<Found> operator()(const Txn& txn) const {
    if (!ours_.app_ids.contains(txn.app_id)) return std::nullopt;
    return Found{ConflictKind::kTransaction,
                 fmt::format("it is of the same stream ('{}')", txn.app_id)};
  }
  std::optional<Found> operator()(const DomainMetadata& domain) const {
    if (!ours_.domains.contains(domain.domain)) return std::nullopt;
    return Found{ConflictKind::kDomainMetadata,
                 fmt::format("it changed the metadata of '{}', as this one does", domain.domain)};
  }
  std::optional<Found> operator()(const Add& add) const {
    if (!appends_matter_ || !add.data_change) return std::nullopt;
    return Found{ConflictKind::kConcurrentRows,
                 "it added rows to the table, which this commit has read"};
  }
  std::optional<Found> operator()(const Remove& remove) const {
    if (ours_.removed_paths.contains(remove.file.path)) {
      return Found{ConflictKind::kFileRemoved, fmt::format("it removed the file '{}', as this one "
                                                           "does",
                                                           remove.file.path)};
    }
    if (!reads_table_ || !remove.data_change) return std::nullopt;
    return Found{ConflictKind::kConcurrentRows,
                 "it removed rows from the table, which this commit has read"};
  }
  template <class T>
  std::optional<Found> operator()(const T&) const {
    return std::nullopt;
  }

 private:
  Ours ours_;
  bool reads_table_;
  bool appends_matter_ = false;
};

std::string NameOf(const CommitInfo* winner) {
  if (winner == nullptr) return "";
  if (winner->engine_info.empty()) return winner->operation;
  return fmt::format("{} by {}", winner->operation, winner->engine_info);
}

}  // namespace

std::optional<Conflict> FindConflict(const CommitIntent& intent, int64_t version,
                                     std::span<const Action> winner) {
  const CommitInfo* info = InfoOf(winner);
  const Judge judge(intent, info);
  std::optional<Conflict> worst;
  for (const Action& action : winner) {
    auto found = std::visit(judge, action);
    // The first kinds are the graver ones: they say more about why.
    if (found && (!worst || found->kind < worst->kind)) {
      worst = Conflict{found->kind, version, std::move(found->what), NameOf(info)};
    }
  }
  return worst;
}

Status ToStatus(const Conflict& conflict, const std::string& table) {
  const std::string by = conflict.winner.empty() ? "" : fmt::format(" ({})", conflict.winner);
  return MakeError({.kind = ErrorKind::kConflict,
                    .side = ErrorSide::kTarget,
                    .operation = "commit",
                    .target = table},
                   fmt::format("another writer's commit, version {}{} of table '{}', came first: "
                               "{}. Run it again",
                               conflict.version, by, table, conflict.what));
}

bool HasTxnId(std::span<const Action> commit, std::string_view txn_id) {
  const CommitInfo* info = InfoOf(commit);
  return info != nullptr && !txn_id.empty() && info->txn_id == txn_id;
}

}  // namespace amp::delta
