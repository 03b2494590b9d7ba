#pragma once

#include <arrow/io/type_fwd.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/object_store.h"

namespace amp {

/// Files by their names, wherever they lie: paths of this machine, and objects of buckets such as
/// `s3://bucket/a.parquet`. Connections and credentials are kept for as long as this is.
/// Thread-safe.
class InputFiles {
 public:
  /// Is the name one of a bucket's?
  static bool IsRemote(const std::string& name);

  /// For reading from any place. NotFound, Unauthenticated, DataInvalid (it is empty), …
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& name);
  /// Of a file that has been opened; 0 where it cannot be told.
  int64_t SizeOf(const std::string& name);

  /// Is there an object with this name?
  Result<bool> ObjectExists(const std::string& name);
  /// The names of all objects in a bucket's folder and below, in byte order.
  Result<std::vector<std::string>> ListObjects(const std::string& folder);

 private:
  struct Place {
    std::shared_ptr<storage::ObjectStore> store;  ///< of the whole bucket
    std::string bucket;                           ///< s3://bucket/
    std::string key;
  };
  Result<Place> Locate(const std::string& name);
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenObject(const std::string& name);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<storage::ObjectStore>> stores_;  ///< by bucket
  std::map<std::string, int64_t> sizes_;                                 ///< of objects
};

}  // namespace amp
