#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "amp/error.h"

namespace amp::storage {

/// Makes folders, and remembers which of them are not durable yet. Thread-safe.
class FolderMaker {
 public:
  /// Makes a folder and those above it.
  Status Make(const std::string& folder);
  /// Makes durable what these folders hold, and that folders made before exist.
  Status Sync(const std::vector<std::string>& folders);
  /// The same for one folder; costs one sync where no folder was made.
  Status Sync(const std::string& folder) { return Sync(std::vector<std::string>{folder}); }

 private:
  std::map<std::string, uint64_t> Pending();
  void Forget(const std::map<std::string, uint64_t>& synced);

  std::mutex mutex_;
  std::map<std::string, uint64_t> pending_;  ///< folders with new folders in them → last change
  uint64_t changes_ = 0;
};

}  // namespace amp::storage
