#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/schema.h"
#include "core/stream_state.h"
#include "core/text.h"
#include "ledger/block_ranges.h"
#include "pipeline/verify.h"

namespace amp {
namespace {

using Json = nlohmann::ordered_json;

Json RangesJson(const BlockRanges& ranges) { return Json::parse(BlockRangesToText(ranges)); }

Json DifferenceJson(const std::optional<RangeDifference>& difference) {
  if (!difference) return nullptr;
  return {{"ranges", RangesJson(difference->ranges)},
          {"source_rows", difference->source_rows},
          {"target_rows", difference->target_rows}};
}

Json ReorgJson(const std::optional<OrphanedBlocks>& reorg) {
  if (!reorg) return nullptr;
  return {{"network", reorg->network}, {"first_block", reorg->first_block}};
}

Status Different(std::string message) {
  return MakeError(ErrorKind::kDifferent, std::move(message));
}

std::string CountsText(const RangeDifference& difference) {
  if (difference.source_rows == difference.target_rows) {
    return fmt::format("both sides have {} rows, but not the same ones",
                       Grouped(difference.source_rows));
  }
  return fmt::format("the source has {} rows, the table {}", Grouped(difference.source_rows),
                     Grouped(difference.target_rows));
}

Status RowsDiffer(const TableName& table, const VerifyResult& result) {
  const RangeDifference& first = *result.first_difference;
  std::string message = fmt::format("table '{}' differs from the source", table);
  if (!first.ranges.empty()) message += fmt::format(" in blocks {}", RangesText(first.ranges));
  message += ": " + CountsText(first);
  if (result.ranges_different > 1) {
    message += fmt::format("; {} of {} ranges differ", Grouped(result.ranges_different),
                           Grouped(result.ranges_compared));
  }
  if (result.target_changed) {
    message += ". The stream has undone or replaced rows while they were read: verify again";
  }
  return Different(std::move(message));
}

Status Orphaned(const TableName& table, const OrphanedBlocks& reorg) {
  return Different(
      fmt::format("table '{}' holds blocks that a reorg has orphaned: the source has others, on "
                  "network '{}' from block {} on. Let the stream catch up and verify again",
                  table, reorg.network, reorg.first_block));
}

}  // namespace

std::string VerifyResult::ToJson() const {
  const Json json = {{"equal", equal()},
                     {"rows_source", rows_source},
                     {"rows_target", rows_target},
                     {"ranges_compared", ranges_compared},
                     {"ranges_different", ranges_different},
                     {"columns", columns},
                     {"first_difference", DifferenceJson(first_difference)},
                     {"reorg", ReorgJson(reorg)},
                     {"uncompared", RangesJson(uncompared)},
                     {"target_changed", target_changed}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status VerifyResult::ToStatus(const TableName& table) const {
  if (!columns.empty()) {
    return Different(
        fmt::format("table '{}' differs from the source: {}", table, FirstFew(columns)));
  }
  // Rows that differ on blocks that both sides have come first, whatever happened to later ones.
  if (first_difference) return RowsDiffer(table, *this);
  if (reorg) return Orphaned(table, *reorg);
  if (uncompared.empty()) return Status::OK();
  return MakeError(
      {.kind = ErrorKind::kUnsupported, .side = ErrorSide::kSource},
      fmt::format("blocks {} of table '{}' were not compared: the source gives them together with "
                  "later ones, and its rows have no column _block_num by which to tell them apart. "
                  "What comes before is equal ({} rows). Add _block_num to the query, or let the "
                  "stream catch up and verify again",
                  RangesText(uncompared), table, Grouped(rows_source)));
}

}  // namespace amp
