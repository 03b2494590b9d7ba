#include "storage/paths.h"

#include <fmt/format.h>

namespace amp::storage {

Status CheckPath(std::string_view path, const ObjectStore& store) {
  for (std::string_view rest = path; !rest.empty();) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part == "." || part == "..") {
      return MakeError({.kind = ErrorKind::kDataInvalid, .target = std::string(path)},
                       fmt::format("'{}': the path '{}' leads out of it, which no path of a table "
                                   "may do",
                                   store.Describe({}), path));
    }
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return Status::OK();
}

std::string AsFolder(std::string_view path) {
  std::string folder(path);
  if (!folder.empty() && !folder.ends_with('/')) folder += '/';
  return folder;
}

}  // namespace amp::storage
