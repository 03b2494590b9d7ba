#include "loaders/delta/free_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "loaders/delta/protocol/log_files.h"

namespace amp::delta {
namespace {

constexpr std::string_view kDataFile = "part-";
constexpr size_t kUuidLength = 36;

bool IsUuid(std::string_view text) {
  if (text.size() != kUuidLength) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool fits =
        dash ? text[i] == '-' : std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
    if (!fits) return false;
  }
  return true;
}

// The name that DataWriter gives: part-<uuid>.<codec>.parquet. Others put a number before the uuid.
bool IsDataFile(std::string_view name) {
  return name.starts_with(kDataFile) && name.ends_with(".parquet") &&
         IsUuid(name.substr(kDataFile.size(), kUuidLength));
}

// A path of the log, or a data file in folders of partitions ("day=1/").
bool IsOurs(std::string_view path) {
  if (path.starts_with(std::string(kLogFolder) + "/")) return true;
  for (size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    if (path.substr(0, slash).find('=') == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
  return IsDataFile(path);
}

}  // namespace

Status CheckIsFree(storage::ObjectStore* store, const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, store->List("", {.recursive = true}));
  const auto other = std::find_if(objects.begin(), objects.end(),
                                  [](const auto& object) { return !IsOurs(object.path); });
  if (other == objects.end()) return Status::OK();
  return MakeError(
      {.kind = ErrorKind::kConfigInvalid, .side = ErrorSide::kTarget, .target = store->Describe()},
      fmt::format("table '{}' cannot be made: there is something else in its place, such as {}. "
                  "Choose another name, or move it away",
                  table, store->Describe(other->path)));
}

}  // namespace amp::delta
