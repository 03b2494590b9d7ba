#include "crash/scenario.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

namespace amp::testing {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return hex;
}

std::string Cell(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return "\\N";
  switch (scalar.type->id()) {
    case arrow::Type::FIXED_SIZE_BINARY:
    case arrow::Type::BINARY:
      return Hex(static_cast<const arrow::BaseBinaryScalar&>(scalar).view());
    case arrow::Type::TIMESTAMP:
      return std::to_string(static_cast<const arrow::TimestampScalar&>(scalar).value);
    default:
      return scalar.ToString();
  }
}

Result<std::string> Line(const arrow::RecordBatch& batch, int64_t row) {
  std::string line;
  for (const auto& column : batch.columns()) {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, column->GetScalar(row));
    if (!line.empty()) line += '|';
    line += Cell(*scalar);
  }
  return line;
}

std::string Joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ","));
}

}  // namespace

SimulationOptions RestlessChain(uint64_t seed, uint64_t blocks) {
  SimulationOptions options;
  options.seed = seed;
  options.blocks = blocks;
  options.reorg_rate = 0.1;
  options.reorg_depth = 4;
  options.empty_rate = 0.1;
  options.logs_per_block = 3;
  options.microbatch_blocks = 3;
  // A server may start a reorg at the first block of the microbatch that it hits: no farther than
  // may be undone.
  options.catch_up_blocks = 8;
  options.split = 4;
  options.keepalive_rate = 0.1;
  options.repeat_rate = 0.1;
  options.drop_rate = 0.003;
  options.interrupt_rate = 0.05;
  options.shallow_rate = 0.2;
  return options;
}

std::vector<std::string> SimulateArguments(const SimulationOptions& options) {
  std::vector<std::string> arguments{"simulate"};
  const auto add = [&](const std::string& name, const auto& value) {
    arguments.insert(arguments.end(), {name, fmt::format("{}", value)});
  };
  add("--seed", options.seed);
  add("--networks", Joined(options.networks));
  if (options.blocks) add("--blocks", *options.blocks);
  add("--history", options.history);
  add("--logs-per-block", options.logs_per_block);
  add("--empty-rate", options.empty_rate);
  add("--reorg-rate", options.reorg_rate);
  add("--reorg-depth", options.reorg_depth);
  add("--microbatch-blocks", options.microbatch_blocks);
  add("--catch-up-blocks", options.catch_up_blocks);
  add("--split", options.split);
  add("--keepalive-rate", options.keepalive_rate);
  add("--repeat-rate", options.repeat_rate);
  add("--drop-rate", options.drop_rate);
  add("--interrupt-rate", options.interrupt_rate);
  add("--shallow-rate", options.shallow_rate);
  if (options.block_time) add("--block-time", fmt::format("{}ms", options.block_time->count()));
  add("--port", options.port);
  return arguments;
}

AmpServer::AmpServer(SimulationOptions options, std::vector<std::string> more)
    : options_(std::move(options)), more_(std::move(more)) {
  options_.port = FreePort().ValueOrDie();
  Start();
}

void AmpServer::Start() {
  std::vector<std::string> arguments = SimulateArguments(options_);
  arguments.insert(arguments.end(), more_.begin(), more_.end());
  process_ = std::make_unique<AmploadProcess>(arguments);
  ASSERT_TRUE(process_->WaitForOutput("listening on")) << process_->err();
}

void AmpServer::Kill() {
  process_->Signal(SIGKILL);
  process_->Wait();
}

Result<std::shared_ptr<arrow::Schema>> CanonicalSchema(const Scenario& scenario) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, CanonicalRows(scenario.sql, scenario.options));
  return reader->schema();
}

Result<Lines> CanonicalLines(const Scenario& scenario) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, CanonicalRows(scenario.sql, scenario.options));
  Lines lines;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) break;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      ARROW_ASSIGN_OR_RAISE(std::string line, Line(*batch, row));
      lines.push_back(std::move(line));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

void ExpectSameLines(const Lines& found, const Lines& wanted) {
  EXPECT_EQ(found.size(), wanted.size());
  const auto [mine, other] =
      std::mismatch(found.begin(), found.end(), wanted.begin(), wanted.end());
  if (mine == found.end() && other == wanted.end()) return;
  ADD_FAILURE() << "row " << mine - found.begin()
                << " differs\n  found: " << (mine == found.end() ? "(no more)" : *mine)
                << "\n  wanted: " << (other == wanted.end() ? "(no more)" : *other);
}

}  // namespace amp::testing
