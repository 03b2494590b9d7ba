#include "loaders/delta/protocol/log_replay.h"

#include <utility>

namespace amp::delta {
namespace {

// What an action is about; empty for those that are about a commit, not about the table's state.
struct Subject {
  std::string operator()(const Add& add) const { return "f" + add.file.Key(); }
  std::string operator()(const Remove& remove) const { return "f" + remove.file.Key(); }
  std::string operator()(const Txn& txn) const { return "t" + txn.app_id; }
  std::string operator()(const DomainMetadata& domain) const { return "d" + domain.domain; }
  template <class T>
  std::string operator()(const T&) const {
    return {};
  }
};

}  // namespace

bool LogReplay::IsFirst(std::string key, bool remember) {
  return remember ? seen_.insert(std::move(key)).second : !seen_.contains(key);
}

bool LogReplay::Judge(const Action& action, bool remember) {
  if (std::holds_alternative<Protocol>(action)) return !std::exchange(has_protocol_, true);
  if (std::holds_alternative<Metadata>(action)) return !std::exchange(has_metadata_, true);
  std::string key = std::visit(Subject{}, action);
  return !key.empty() && IsFirst(std::move(key), remember);
}

}  // namespace amp::delta
