#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// Rows that are deleted from a data file without writing it anew. Sources: PROTOCOL.md, "Deletion
/// Vectors" and "Deletion Vector Format"; RoaringFormatSpec; ZeroMQ RFC 32 (Z85).
namespace amp::delta {

/// Positions of rows in a file, from 0, ascending.
using DeletedRows = std::vector<uint64_t>;

AMP_EXPORT Result<std::string> DecodeZ85(std::string_view text);

/// Where the vector's file is: below the table's folder, or an absolute URI. Empty for one that is
/// inline.
AMP_EXPORT Result<std::string> DeletionVectorPath(const DeletionVectorDescriptor& descriptor);

/// From the descriptor itself, where it is inline.
AMP_EXPORT Result<DeletedRows> ReadInlineDeletionVector(const DeletionVectorDescriptor& descriptor);
/// From the bytes of its file, of which it is a part: the size, the rows, and a checksum.
AMP_EXPORT Result<DeletedRows> ReadDeletionVector(const DeletionVectorDescriptor& descriptor,
                                                  std::string_view file);
/// The rows of a serialised bitmap; at most `cardinality`, so that few bytes cannot ask for much.
AMP_EXPORT Result<DeletedRows> ParseRowBitmap(std::string_view bytes, int64_t cardinality);

}  // namespace amp::delta
