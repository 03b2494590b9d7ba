#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

/// What lies in `_amp_undo`: one or more lines a batch, each saying what some of the batch's rows
/// did to the table. Numbers are big-endian. Its first byte tells the kind of a line.
namespace amp::lmdb {

/// Rows that were added under growing row numbers, first and last included: 'r', then 8 bytes and
/// 8 bytes for each run.
struct RowRun {
  uint64_t first = 0;
  uint64_t last = 0;
};

AMP_EXPORT std::string RunsToLine(const std::vector<RowRun>& runs);
bool IsRunLine(std::string_view line);
AMP_EXPORT Result<std::vector<RowRun>> RunsFromLine(std::string_view line);

/// A row that was put under its key: 'k', then for each row, in the order of writing:
/// 2 bytes: size of the key; 4 bytes: size of the value that was there before, ffffffff: none;
/// 8 bytes: hash of the value that was put; the key; the value before.
struct PutRecord {
  std::string_view key;
  uint64_t hash = 0;
  std::optional<std::string_view> before;
};

inline constexpr char kPutLine = 'k';
AMP_EXPORT void AppendPut(const PutRecord& put, std::string* line);
/// The views point into the line.
AMP_EXPORT Result<std::vector<PutRecord>> PutsFromLine(std::string_view line);

/// Tells values apart; the same on every machine of LMDB's byte order (a database is bound to
/// that, too).
AMP_EXPORT uint64_t HashOf(std::string_view value);

}  // namespace amp::lmdb
