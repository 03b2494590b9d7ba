#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "storage/object_store.h"

/// The documents of the S3 API (version 2006-03-01).
namespace amp::storage {

/// Why a request was refused; empty parts where the answer does not say.
struct S3Failure {
  std::string code;     ///< such as "NoSuchKey"
  std::string message;  ///< for people
  std::string region;   ///< where the bucket is, if that is what is wrong
};
S3Failure ParseS3Failure(std::string_view body);

/// A page of a listing. Paths are whole keys.
struct S3Page {
  std::vector<ObjectInfo> objects;
  std::string next;  ///< the token for the next page; empty: this was the last one
};
Result<S3Page> ParseS3Page(std::string_view body);

/// What one request to delete several objects asks, and the first object that was not deleted.
std::string DeleteDocument(const std::vector<std::string>& keys);
struct S3NotDeleted {
  std::string key;  ///< empty: all are gone
  S3Failure failure;
};
Result<S3NotDeleted> ParseDeleteResult(std::string_view body);

/// Multipart uploads: the id that a new one gets, and the list of parts' ETags that completes it.
Result<std::string> ParseUploadId(std::string_view body);
std::string CompleteDocument(const std::vector<std::string>& etags);

}  // namespace amp::storage
