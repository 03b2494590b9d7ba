#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "amp/export.h"

/// Errors are `arrow::Status`, with a detail that says what kind of failure it was.
///
/// Decisions (retry, exit code, what to tell the user) are made by kind, never by text.
namespace amp {

using arrow::Result;
using arrow::Status;

enum class ErrorKind {
  kConfigInvalid,    ///< an option is missing, unknown, of the wrong type or out of range
  kUnauthenticated,  ///< login refused, or permission denied
  kNotFound,         ///< a file, database, schema or table that is not there
  kAlreadyExists,    ///< something is in the way
  kSchemaMismatch,   ///< columns or types do not fit together
  kUnsupported,      ///< the target cannot do that
  kDataInvalid,      ///< a value that cannot be read or stored
  kRateLimited,      ///< the other side asks for fewer requests
  kUnavailable,      ///< unreachable, gone, timed out, out of space
  kConflict,         ///< another writer was there first
  kCommitUnknown,    ///< the answer to a commit was lost
  kProtocol,         ///< the other side broke its protocol
  kCancelled,        ///< stopped on request
  kInternal,         ///< a fault of Ampload itself
  kReorgTooDeep,     ///< a reorganisation goes deeper than may be undone
  kDifferent,        ///< what was compared is not the same
};

/// The kind's name as users see it, such as "SchemaMismatch".
AMP_EXPORT std::string_view ToString(ErrorKind kind);

/// Which end of the data's way an error comes from.
enum class ErrorSide { kNone, kSource, kTarget };

struct ErrorInfo {
  ErrorKind kind = ErrorKind::kInternal;
  ErrorSide side = ErrorSide::kNone;
  std::string operation = {};    ///< what was being done, such as "commit"
  std::string target = {};       ///< what it was done to: a file, a server, a table
  std::string native_code = {};  ///< the other side's own code, such as SQLSTATE "23505"
  bool retryable = false;        ///< the same call may succeed later
  int64_t row = -1;              ///< of the column or batch in hand, where one row is to blame
};

class AMP_EXPORT ErrorDetail final : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(ErrorInfo info) : info_(std::move(info)) {}
  const char* type_id() const override;
  std::string ToString() const override;
  const ErrorInfo& info() const { return info_; }

 private:
  ErrorInfo info_;
};

/// Makes an error. `message` says what, where, why and what to do next, in that order, and
/// contains no secret.
AMP_EXPORT Status MakeError(ErrorInfo info, std::string message);
AMP_EXPORT Status MakeError(ErrorKind kind, std::string message);

/// The detail of an error made here, or what follows from the code of another library's status.
AMP_EXPORT ErrorInfo ErrorInfoOf(const Status& status);
AMP_EXPORT ErrorKind KindOf(const Status& status);

/// The same error, said to come from `side` unless it already has one.
AMP_EXPORT Status WithSide(const Status& status, ErrorSide side);

/// The same error with `context: ` before its message.
AMP_EXPORT Status WithContext(const Status& status, std::string_view context);

/// The process exit code for a status; the list is in the guide.
AMP_EXPORT int ExitCodeOf(const Status& status);

}  // namespace amp
