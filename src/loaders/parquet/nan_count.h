#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>

#include "amp/error.h"

namespace amp::parquet_files {

/// Adds to `counts`, which has one entry for each leaf of the array's type, how many NaN the
/// leaf holds; nulls, and what lies below null structs and lists, do not count.
Status CountNans(const arrow::Array& array, int64_t* counts);

}  // namespace amp::parquet_files
