#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

namespace amp::delta {

/// Reconciles a log that is read from its newest commit back to its oldest, then its checkpoint:
/// the first that is said about a thing is what counts. Remembers the keys of the commits only, so
/// that a checkpoint of any size can stream past. Source: PROTOCOL.md, "Action Reconciliation".
class AMP_EXPORT LogReplay {
 public:
  /// An action of a commit: is it part of the table's state?
  bool Keeps(const Action& action) { return Judge(action, /*remember=*/true); }
  /// A row of the checkpoint, after all commits.
  bool KeepsFromCheckpoint(const Action& action) { return Judge(action, /*remember=*/false); }

 private:
  bool Judge(const Action& action, bool remember);
  bool IsFirst(std::string key, bool remember);

  std::unordered_set<std::string> seen_;
  bool has_protocol_ = false;
  bool has_metadata_ = false;
};

}  // namespace amp::delta
