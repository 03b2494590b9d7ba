#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/stream.h"
#include "loaders/delta/batch_lines.h"
#include "loaders/delta/protocol/actions.h"
#include "storage/object_store.h"

/// The state of streams, in files beside the table's log:
///
///     _delta_log/_ampload/<stream>/<number>.json
///
/// A commit names the file of its state with a `txn` action: appId is "ampload:" and the stream's
/// name, version the number. A file that no commit names says nothing. Numbers only grow: they are
/// revision × 2^16 + 16 random bits, so that two writers who commit at once have a file each.
namespace amp::delta {

/// A stream as its file has it; the batch map is in `lines`.
struct StoredStream {
  StreamState state;
  BatchLines lines;
  std::string table_id;  ///< of the table that it was opened on
  int64_t revision = 0;  ///< counts its states: commits, and openings
  int64_t number = 0;    ///< of its file
};

AMP_EXPORT std::string AppIdOf(std::string_view stream);
/// None for the transactions of other programs.
AMP_EXPORT std::optional<std::string> StreamOfAppId(std::string_view app_id);

/// The action that names the stream's state. It has no time, as some writers drop transactions that
/// are old, and with it the stream would begin anew.
AMP_EXPORT Txn TxnOf(const StoredStream& stream);

/// The file's text, and back. Trusts nothing.
AMP_EXPORT std::string StoredStreamToText(const StoredStream& stream);
AMP_EXPORT Result<StoredStream> StoredStreamFromText(std::string_view text);

/// The files of one table's streams.
class AMP_EXPORT StreamFiles {
 public:
  explicit StreamFiles(storage::ObjectStore* store) : store_(store) {}

  /// DataInvalid where the state that a commit names is missing or broken: never a fresh start.
  Result<StoredStream> Read(const std::string& stream, int64_t number) const;
  /// Writes the next revision; sets its `revision` and `number`.
  Status Write(StoredStream* stream) const;

  Result<std::vector<BatchEntry>> ReadLines(const std::string& stream, const LinesFile& file) const;
  BatchLines::ReadFile LinesReader(const std::string& stream) const;
  /// The state with its whole batch map.
  Result<StreamState> ReadWhole(const StoredStream& stream) const;

  /// Deletes the files that `now` has left behind, but for the newest few: someone may be reading
  /// them.
  Status CleanUp(const StoredStream& now) const;

 private:
  Status MoveFinalLines(StoredStream* stream) const;

  storage::ObjectStore* store_;
};

}  // namespace amp::delta
