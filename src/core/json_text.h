#pragma once

#include <arrow/type_fwd.h>

#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"

namespace amp {

/// The texts of a column, one after the other.
struct TextColumn {
  std::string bytes;
  std::vector<size_t> ends;  ///< where each row's text ends in `bytes`

  std::string_view operator[](size_t row) const {
    const size_t start = row == 0 ? 0 : ends[row - 1];
    return std::string_view(bytes).substr(start, ends[row] - start);
  }
  void End() { ends.push_back(bytes.size()); }
};

/// Each value of a plain column as JSON (see PlainSchema): bytes as "0x…", decimals and integers
/// beyond 2^53 as strings, times as RFC 3339 with all digits, NaN and ±Infinity as strings, maps
/// with text keys as objects, other maps as arrays of {"key":…,"value":…}.
AMP_EXPORT Result<TextColumn> RenderJson(const arrow::Array& column);

/// Each row as one JSON object with every column, null as null.
AMP_EXPORT Result<TextColumn> RenderJsonRows(const arrow::RecordBatch& batch);

AMP_EXPORT void AppendJsonString(std::string_view text, std::string* out);
/// a"b → "a\"b"
AMP_EXPORT std::string JsonQuoted(std::string_view text);

}  // namespace amp
