#include "amp/error.h"

#include <fmt/format.h>

#include <array>

namespace amp {
namespace {

struct KindNames {
  ErrorKind kind;
  std::string_view name;
  arrow::StatusCode code;
};

constexpr std::array<KindNames, 16> kKinds{{
    {ErrorKind::kConfigInvalid, "ConfigInvalid", arrow::StatusCode::Invalid},
    {ErrorKind::kUnauthenticated, "Unauthenticated", arrow::StatusCode::IOError},
    {ErrorKind::kNotFound, "NotFound", arrow::StatusCode::KeyError},
    {ErrorKind::kAlreadyExists, "AlreadyExists", arrow::StatusCode::AlreadyExists},
    {ErrorKind::kSchemaMismatch, "SchemaMismatch", arrow::StatusCode::TypeError},
    {ErrorKind::kUnsupported, "Unsupported", arrow::StatusCode::NotImplemented},
    {ErrorKind::kDataInvalid, "DataInvalid", arrow::StatusCode::Invalid},
    {ErrorKind::kRateLimited, "RateLimited", arrow::StatusCode::IOError},
    {ErrorKind::kUnavailable, "Unavailable", arrow::StatusCode::IOError},
    {ErrorKind::kConflict, "Conflict", arrow::StatusCode::IOError},
    {ErrorKind::kCommitUnknown, "CommitUnknown", arrow::StatusCode::IOError},
    {ErrorKind::kProtocol, "Protocol", arrow::StatusCode::IOError},
    {ErrorKind::kCancelled, "Cancelled", arrow::StatusCode::Cancelled},
    {ErrorKind::kInternal, "Internal", arrow::StatusCode::UnknownError},
    {ErrorKind::kReorgTooDeep, "ReorgTooDeep", arrow::StatusCode::IOError},
    {ErrorKind::kDifferent, "Different", arrow::StatusCode::UnknownError},
}};

const KindNames& NamesOf(ErrorKind kind) { return kKinds[static_cast<size_t>(kind)]; }

// What another library's status means when nothing better is known.
ErrorKind KindOfCode(arrow::StatusCode code) {
  switch (code) {
    case arrow::StatusCode::KeyError:
      return ErrorKind::kNotFound;
    case arrow::StatusCode::AlreadyExists:
      return ErrorKind::kAlreadyExists;
    case arrow::StatusCode::TypeError:
      return ErrorKind::kSchemaMismatch;
    case arrow::StatusCode::NotImplemented:
      return ErrorKind::kUnsupported;
    case arrow::StatusCode::Invalid:
    case arrow::StatusCode::SerializationError:
    case arrow::StatusCode::IndexError:
      return ErrorKind::kDataInvalid;
    case arrow::StatusCode::IOError:
    case arrow::StatusCode::CapacityError:
    case arrow::StatusCode::OutOfMemory:
      return ErrorKind::kUnavailable;
    case arrow::StatusCode::Cancelled:
      return ErrorKind::kCancelled;
    default:
      return ErrorKind::kInternal;
  }
}

Status Remake(const Status& status, std::string message, ErrorInfo info) {
  return Status(status.code(), std::move(message), std::make_shared<ErrorDetail>(std::move(info)));
}

}  // namespace

std::string_view ToString(ErrorKind kind) { return NamesOf(kind).name; }

const char* ErrorDetail::type_id() const { return "amp::ErrorDetail"; }

std::string ErrorDetail::ToString() const {
  std::string text(amp::ToString(info_.kind));
  if (!info_.native_code.empty()) text += fmt::format(" ({})", info_.native_code);
  return text;
}

Status MakeError(ErrorInfo info, std::string message) {
  const arrow::StatusCode code = NamesOf(info.kind).code;
  return Status(code, std::move(message), std::make_shared<ErrorDetail>(std::move(info)));
}

Status MakeError(ErrorKind kind, std::string message) {
  return MakeError(ErrorInfo{.kind = kind}, std::move(message));
}

ErrorInfo ErrorInfoOf(const Status& status) {
  const auto& detail = status.detail();
  if (detail != nullptr && std::string_view(detail->type_id()) == "amp::ErrorDetail") {
    return static_cast<const ErrorDetail&>(*detail).info();
  }
  return {.kind = KindOfCode(status.code())};
}

ErrorKind KindOf(const Status& status) { return ErrorInfoOf(status).kind; }

Status WithSide(const Status& status, ErrorSide side) {
  if (status.ok()) return status;
  ErrorInfo info = ErrorInfoOf(status);
  if (info.side == ErrorSide::kNone) info.side = side;
  return Remake(status, status.message(), std::move(info));
}

Status WithContext(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  return Remake(status, fmt::format("{}: {}", context, status.message()), ErrorInfoOf(status));
}

int ExitCodeOf(const Status& status) {
  if (status.ok()) return 0;
  const ErrorInfo info = ErrorInfoOf(status);
  switch (info.kind) {
    case ErrorKind::kConfigInvalid:
      return 2;
    case ErrorKind::kSchemaMismatch:
      return 5;
    case ErrorKind::kUnsupported:
    case ErrorKind::kDataInvalid:
      return info.side == ErrorSide::kSource ? 3 : 5;
    case ErrorKind::kCancelled:
      return 130;
    case ErrorKind::kInternal:
    case ErrorKind::kDifferent:
      return 1;
    case ErrorKind::kReorgTooDeep:
      return 6;
    default:
      return info.side == ErrorSide::kSource ? 3 : 4;
  }
}

}  // namespace amp
