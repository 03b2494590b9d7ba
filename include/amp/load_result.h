#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "amp/block_range.h"
#include "amp/error.h"
#include "amp/export.h"

namespace amp {

/// How rows meet what is already in the table.
enum class LoadMode {
  kAppend,     ///< rows are added
  kOverwrite,  ///< the table afterwards holds these rows only
  kUpsert,     ///< by key: the whole row is replaced or inserted
  kMerge,      ///< by key: only the columns that are brought are updated; unknown keys are inserted
};

/// "append", "overwrite", "upsert", "merge".
AMP_EXPORT std::string_view ToString(LoadMode mode);
AMP_EXPORT Result<LoadMode> ParseLoadMode(std::string_view text);

/// Facts about an operation, in the order in which they were set.
class AMP_EXPORT Metadata {
 public:
  using Value = std::variant<bool, int64_t, double, std::string, std::vector<std::string>>;
  using Entry = std::pair<std::string, Value>;

  Metadata() = default;
  Metadata(std::initializer_list<Entry> entries) : entries_(entries) {}

  /// Sets `name`, in its old place if it was there.
  void Set(std::string_view name, Value value);
  void Merge(const Metadata& other);
  /// Null where there is none.
  const Value* Find(std::string_view name) const;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

/// What became of a load. A load that failed has a result too: `success` is false, `error` says why
/// and `status` carries the kind.
struct AMP_EXPORT LoadResult {
  bool success = false;
  int64_t rows_loaded = 0;  ///< rows that are in the target because of this load
  double duration_seconds = 0;
  double rows_per_second = 0;
  std::string table_name;
  std::string loader;
  LoadMode mode = LoadMode::kAppend;
  std::string error;  ///< empty on success
  Metadata metadata;
  Status status;
  /// Of streams: this result tells of a reorganisation, and which blocks it orphaned.
  bool is_reorg = false;
  std::vector<BlockRange> invalidation_ranges = {};

  /// One JSON object on one line.
  std::string ToJson() const;
};

}  // namespace amp
