#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"

/// Where tables made of files lie: a folder of the local disk, or a bucket. What table formats need
/// of one, and no more; docs/adr/0016 says why it is not a general file system.
namespace amp::storage {

/// Paths are relative to the store's root, with `/` between parts, and are taken as they are: they
/// are not URL-encoded here.
struct ObjectInfo {
  std::string path;
  int64_t size = 0;
  int64_t modified_at = 0;  ///< in Unix milliseconds
  bool unfinished = false;  ///< see `ListOptions`
};

enum class PutOutcome {
  kWritten,
  kExists,  ///< somebody else's object is there, untouched
};

/// A new object that is written piece by piece. Nobody sees it before `Close` has succeeded.
/// Destroyed without `Close`, it leaves nothing behind; a crash may leave a hidden file in a folder
/// (see `ListOptions::unfinished`), or an unfinished upload to a bucket.
class OutputObject {
 public:
  virtual ~OutputObject() = default;
  virtual Status Write(std::shared_ptr<arrow::Buffer> bytes) = 0;
  /// The object is there, whole and durable, when this returns; in a folder its name becomes
  /// durable with the next `SyncFolders` of that folder.
  virtual Status Close() = 0;
  virtual Status Abort() = 0;
};

/// Thread-safe. Every error names the store and the path, has a kind, and says whether it may pass;
/// which side it comes from is for the caller to say (`WithSide`). Folders come with the objects in
/// them. A path has no part `.` or `..`: DataInvalid.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// The whole object; NotFound where there is none.
  virtual Result<std::shared_ptr<arrow::Buffer>> Read(const std::string& path) = 0;
  /// For reading parts of it; NotFound where there is none.
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& path) = 0;

  /// What lies directly or (`recursive`) anywhere under `folder`, in the byte order of the paths,
  /// only paths above `after`. Empty for a folder that is not there. Never folders themselves.
  struct ListOptions {
    std::string after = {};
    bool recursive = false;
    /// Also hidden files that writers of this program are writing just now, or left when they died.
    bool unfinished = false;
  };
  virtual Result<std::vector<ObjectInfo>> List(const std::string& folder,
                                               const ListOptions& options) = 0;

  /// Makes the object where none has its path: the one atomic step that commits are made of.
  /// Durable when it returns. CommitUnknown where the answer was lost: it may be there or not, or
  /// still come. A bucket's answer to a try that was repeated may mean our own first one, so the
  /// content is compared: two writers must never put the same bytes (put something random in).
  virtual Result<PutOutcome> PutIfAbsent(const std::string& path, std::string_view bytes) = 0;
  /// Makes or replaces the object; readers see the old one or the new one. Durable.
  virtual Status Put(const std::string& path, std::string_view bytes) = 0;
  /// A new object with a path that nobody else uses.
  virtual Result<std::unique_ptr<OutputObject>> Create(const std::string& path) = 0;
  /// Makes durable that the objects created in these folders exist, and the folders that were made
  /// for them; nothing to do in a bucket.
  virtual Status SyncFolders(const std::vector<std::string>& folders) = 0;
  /// OK for an object that is not there.
  virtual Status Delete(const std::vector<std::string>& paths) = 0;
  /// Removes folders without files in them, the store's own too; a bucket has none.
  virtual Status RemoveEmptyFolders() { return Status::OK(); }

  /// For messages: "s3://bucket/table" or the folder; without secrets.
  virtual std::string Describe(std::string_view path = {}) const = 0;
};

}  // namespace amp::storage
