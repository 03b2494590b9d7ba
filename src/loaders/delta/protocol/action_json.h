#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// Log entries: one JSON object a line, each with one action.
namespace amp::delta {

/// Calls `each` with every action of `text`, in order. `name` (a path) and the line are in errors,
/// which are of kind Protocol: the log is broken, or written by something newer than Delta 4.
AMP_EXPORT Status ForEachAction(std::string_view text, std::string_view name,
                                const std::function<Status(Action)>& each);
AMP_EXPORT Result<std::vector<Action>> ParseActions(std::string_view text, std::string_view name);

/// One line with its '\n'.
AMP_EXPORT void AppendAction(const Action& action, std::string* out);
AMP_EXPORT void AppendAdd(const Add& add, std::string* out);
AMP_EXPORT void AppendRemove(const Remove& remove, std::string* out);
/// A log entry: commitInfo comes first, as in-commit timestamps want it.
AMP_EXPORT std::string SerializeActions(std::span<const Action> actions);

}  // namespace amp::delta
