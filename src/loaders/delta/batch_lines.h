#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "amp/stream.h"

/// The batch map of a stream, which grows for as long as the stream lives, in files that are
/// written anew with every commit: so the newest lines are in the state's own file, and older ones,
/// which are final, in files that are written once.
namespace amp::delta {

/// A file of final lines, whose ids follow one another.
struct LinesFile {
  std::string name;  ///< in the stream's folder
  int64_t first_id = 0;
  int64_t last_id = 0;

  friend bool operator==(const LinesFile&, const LinesFile&) = default;
};

class AMP_EXPORT BatchLines {
 public:
  using ReadFile = std::function<Result<std::vector<BatchEntry>>(const LinesFile&)>;

  BatchLines() = default;
  BatchLines(std::vector<LinesFile> older, std::vector<BatchEntry> newest)
      : older_(std::move(older)), newest_(std::move(newest)) {}

  /// Each in place of those whose ids lie within its own.
  Status Put(const std::vector<BatchEntry>& entries, const ReadFile& read);
  /// Forgets the lines of all ids above `batch_id`.
  Status DropAfter(int64_t batch_id, const ReadFile& read);
  /// The whole map, in the order of ids.
  Result<std::vector<BatchEntry>> ReadAll(const ReadFile& read) const;

  /// How many of the newest lines are to go into a file of their own; 0 where they are few.
  size_t CountToMove(int64_t final_id) const;
  /// The first `count` lines are in this file now.
  void Moved(size_t count, std::string name);

  const std::vector<LinesFile>& older() const { return older_; }
  const std::vector<BatchEntry>& newest() const { return newest_; }

 private:
  /// Takes back the lines of files that reach above `batch_id`.
  Status TakeBack(int64_t batch_id, const ReadFile& read);

  std::vector<LinesFile> older_;
  std::vector<BatchEntry> newest_;
};

}  // namespace amp::delta
