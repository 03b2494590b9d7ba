#pragma once

#include <string>
#include <string_view>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// Paths of data files: as they are, and as the log has them (URL-encoded, RFC 2396).
namespace amp::delta {

/// "a b/c" → "a%20b/c". The scheme and host of an absolute URI stay as they are.
AMP_EXPORT std::string EncodePath(std::string_view path);
/// Protocol error for text with a '%' that two hex digits do not follow, or with %00.
AMP_EXPORT Result<std::string> DecodePath(std::string_view text);
/// Is it a URI with a scheme, or a path from the root, rather than one below the table's folder?
AMP_EXPORT bool IsAbsolutePath(std::string_view path);
/// A file's name from its path's text in the log.
AMP_EXPORT Result<FileName> FileNameFromLog(std::string text);

/// A part of a folder's name as Hive and Spark write it: "a/b" → "a%2Fb".
AMP_EXPORT std::string HiveEscape(std::string_view text);
/// "a=1/b=__HIVE_DEFAULT_PARTITION__"; empty for a table without partitions. Nobody reads values
/// out of it, so a part that is too long for a file system is cut and gets a hash instead.
AMP_EXPORT std::string PartitionFolder(const Strings& columns, const NullableMap& values);

}  // namespace amp::delta
