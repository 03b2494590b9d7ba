#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/log_store.h"
#include "loaders/delta/protocol/actions.h"
#include "loaders/delta/protocol/log_files.h"

namespace amp::delta {

/// The actions of a checkpoint of any kind, a few thousand at a time: classic, in parts, or V2 with
/// its sidecars.
class AMP_EXPORT CheckpointStream {
 public:
  CheckpointStream(LogStore log, std::vector<LogFile> files);
  CheckpointStream(CheckpointStream&&) noexcept;
  CheckpointStream& operator=(CheckpointStream&&) noexcept;
  ~CheckpointStream();

  /// The next ones; none at the end. NotFound where a file is gone: it was cleaned up meanwhile.
  Result<std::vector<Action>> Next();

  /// The files in `_delta_log/_sidecars` that a checkpoint's file names, which are not read.
  static Result<std::vector<std::string>> SidecarNames(LogStore log, LogFile file);

 private:
  Status Advance();
  Status OpenNext();
  Status ReadJson(const std::string& name);
  Status OpenParquet(const std::string& name);
  Status Take(Action action);

  class ParquetRows;

  LogStore log_;
  std::deque<LogFile> files_;
  std::deque<std::string> sidecars_;
  std::unique_ptr<ParquetRows> rows_;
  std::vector<Action> ready_;
};

}  // namespace amp::delta
