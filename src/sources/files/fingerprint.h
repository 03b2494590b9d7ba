#pragma once

#include <string>

#include "sources/files/input_files.h"

namespace amp {

/// Tells whether a file is still the one that it was, without reading all of it: its size, and a
/// hash of a Parquet file's footer (which has the place, size and statistics of every column chunk)
/// or of the first and last 64 KiB of another file. As 0x hex. A change of other bytes that keeps
/// the size goes unseen.
Result<std::string> Fingerprint(InputFiles* files, const std::string& path);

}  // namespace amp
