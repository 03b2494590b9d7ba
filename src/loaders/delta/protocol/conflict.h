#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// May a commit that lost the race for its version be tried again at the next one?
namespace amp::delta {

/// What a commit has read, beside what it writes: what another's commit must not have changed.
enum class ReadScope {
  kNothing,  ///< an append
  kTable,    ///< an overwrite, or a merge by key: it depends on which rows there are
};

struct CommitIntent {
  ReadScope read = ReadScope::kNothing;
  /// As `TableProperties::serializable`: where not, rows that were appended without reading count
  /// as appended after a commit that has read the table.
  bool serializable = true;
  std::span<const Action> actions = {};
};

enum class ConflictKind {
  kProtocol,        ///< the winner changed the table's protocol
  kMetadata,        ///< it changed schema, partitioning or properties
  kTransaction,     ///< it has our own appId: someone else writes our stream
  kFileRemoved,     ///< it removed a file that we remove, too
  kConcurrentRows,  ///< it added or removed rows in what we have read
  kDomainMetadata,  ///< it changed a domain that we change, too
};

struct Conflict {
  ConflictKind kind;
  int64_t version = 0;  ///< of the winner
  std::string what;     ///< "it removed the file 'a.parquet', which we remove, too"
  std::string winner;   ///< "WRITE by delta-rs:py-1.6.6", from its commitInfo; may be empty
};

/// What in the winner's commit forbids ours; none where ours may be tried again after it.
AMP_EXPORT std::optional<Conflict> FindConflict(const CommitIntent& intent, int64_t version,
                                                std::span<const Action> winner);

/// The conflict as an error of kind Conflict.
AMP_EXPORT Status ToStatus(const Conflict& conflict, const std::string& table);

/// Is this commit ours? Its commitInfo has our transaction's id.
AMP_EXPORT bool HasTxnId(std::span<const Action> commit, std::string_view txn_id);

}  // namespace amp::delta
