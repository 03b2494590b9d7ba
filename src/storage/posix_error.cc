#include "storage/posix_error.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace amp::storage {
namespace {

struct Meaning {
  int code;
  ErrorKind kind;
  std::string_view advice;
};

constexpr std::array<Meaning, 13> kMeanings{{
    {ENOENT, ErrorKind::kNotFound, ""},
    {ENOTDIR, ErrorKind::kNotFound, "A part of the path is a file; choose another folder"},
    {EISDIR, ErrorKind::kNotFound, "It is a folder, not a file"},
    {EEXIST, ErrorKind::kAlreadyExists, "Choose another name"},
    {ENOSPC, ErrorKind::kUnavailable, "The disk is full; make room and load again"},
    {EDQUOT, ErrorKind::kUnavailable, "The quota is used up; make room and load again"},
    {EFBIG, ErrorKind::kUnavailable, "The file may not grow further; raise the limit (ulimit -f)"},
    {EMFILE, ErrorKind::kUnavailable, "Too many files are open; raise the limit (ulimit -n)"},
    {EACCES, ErrorKind::kUnauthenticated, "Check the folder's permissions"},
    {EPERM, ErrorKind::kUnauthenticated, "Check the folder's permissions"},
    {EROFS, ErrorKind::kUnauthenticated, "The file system is read-only"},
    {ENAMETOOLONG, ErrorKind::kConfigInvalid, "Choose a shorter name"},
    {EIO, ErrorKind::kUnavailable, "The disk may be broken or full; look at the system's log"},
}};

}  // namespace

Status PosixError(int code, std::string_view operation, std::string_view path) {
  ErrorKind kind = ErrorKind::kUnavailable;
  std::string_view advice;
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != code) continue;
    kind = meaning.kind;
    advice = meaning.advice;
  }
  return MakeError({.kind = kind,
                    .operation = std::string(operation),
                    .target = std::string(path),
                    .native_code = std::to_string(code),
                    .retryable = code == ESTALE || code == ETIMEDOUT},
                   fmt::format("'{}': {}: {}{}{}", path, operation, std::strerror(code),
                               advice.empty() ? "" : ". ", advice));
}

}  // namespace amp::storage
