#include "sources/simulated/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace amp {
namespace {

constexpr std::array<std::pair<std::string_view, SimulatedFault>, 13> kFaults{{
    {"gap", SimulatedFault::kGap},
    {"wrong-prev-hash", SimulatedFault::kWrongPrevHash},
    {"reorg-with-same-hash", SimulatedFault::kReorgWithSameHash},
    {"two-ranges-one-network", SimulatedFault::kTwoRangesOneNetwork},
    {"network-set-changes", SimulatedFault::kNetworkSetChanges},
    {"bad-json", SimulatedFault::kBadJson},
    {"no-metadata", SimulatedFault::kNoMetadata},
    {"missing-prev-hash", SimulatedFault::kMissingPrevHash},
    {"end-before-start", SimulatedFault::kEndBeforeStart},
    {"incomplete-microbatch", SimulatedFault::kIncompleteMicrobatch},
    {"schema-change", SimulatedFault::kSchemaChange},
    {"no-tables", SimulatedFault::kNoTables},
    {"expired-token", SimulatedFault::kExpiredToken},
}};

constexpr size_t kMostNetworks = 3;
constexpr uint64_t kMostBlocks = uint64_t{1} << 40;
constexpr uint64_t kMostReorgDepth = 10'000;
constexpr uint64_t kMostRowsPerBlock = 1'000'000;

Status Invalid(std::string message) {
  return MakeError(ErrorKind::kConfigInvalid, std::move(message));
}

Status CheckRate(std::string_view name, double rate) {
  if (rate >= 0 && rate <= 1) return Status::OK();
  return Invalid(fmt::format("{} is {}; it is a probability from 0 to 1", name, rate));
}

Status CheckNumber(std::string_view name, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return Status::OK();
  return Invalid(fmt::format("{} is {}; it may be {} to {}", name, value, least, most));
}

Status CheckNetworks(const std::vector<std::string>& networks) {
  ARROW_RETURN_NOT_OK(CheckNumber("number of networks", networks.size(), 1, kMostNetworks));
  for (size_t i = 0; i < networks.size(); ++i) {
    const auto before = networks.begin() + static_cast<std::ptrdiff_t>(i);
    if (networks[i].empty()) return Invalid("networks: a name is empty");
    if (std::find(networks.begin(), before, networks[i]) != before) {
      return Invalid(fmt::format("networks: '{}' is there twice", networks[i]));
    }
  }
  return Status::OK();
}

Status CheckServer(const SimulationOptions& options) {
  if (options.port < 0 || options.port > 65535) {
    return Invalid(fmt::format("port is {}; it may be 0 to 65535", options.port));
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return Invalid("TLS needs both a certificate and its key");
  }
  if (options.block_time && options.block_time->count() <= 0) {
    return Invalid("block-time must be longer than nothing");
  }
  return CheckNumber("endpoints", options.endpoints, 1, 64);
}

}  // namespace

Result<SimulatedFaultAt> ParseSimulatedFault(const std::string& text) {
  const size_t at = text.find('@');
  const std::string name = text.substr(0, at);
  const auto* const found =
      std::find_if(kFaults.begin(), kFaults.end(), [&](const auto& f) { return f.first == name; });
  if (found == kFaults.end()) {
    return Invalid(fmt::format("there is no fault '{}'; faults are {}", name,
                               fmt::join(SimulatedFaultNames(), ", ")));
  }
  SimulatedFaultAt fault{.fault = found->second};
  if (fault.fault == SimulatedFault::kNoTables) fault.after = 1;
  if (at == std::string::npos) return fault;
  const char* const last = text.data() + text.size();
  const auto read = std::from_chars(text.data() + at + 1, last, fault.after);
  if (read.ec != std::errc() || read.ptr != last) {
    return Invalid(fmt::format("fault '{}': a number must follow the @", text));
  }
  return fault;
}

std::vector<std::string> SimulatedFaultNames() {
  std::vector<std::string> names;
  for (const auto& [name, fault] : kFaults) names.emplace_back(name);
  return names;
}

Status CheckSimulationOptions(const SimulationOptions& options) {
  ARROW_RETURN_NOT_OK(CheckNetworks(options.networks));
  const std::array<std::pair<std::string_view, double>, 7> rates{{
      {"reorg-rate", options.reorg_rate},
      {"empty-rate", options.empty_rate},
      {"keepalive-rate", options.keepalive_rate},
      {"repeat-rate", options.repeat_rate},
      {"drop-rate", options.drop_rate},
      {"interrupt-rate", options.interrupt_rate},
      {"shallow-rate", options.shallow_rate},
  }};
  for (const auto& [name, rate] : rates) ARROW_RETURN_NOT_OK(CheckRate(name, rate));
  ARROW_RETURN_NOT_OK(CheckNumber("blocks", options.blocks.value_or(1), 1, kMostBlocks));
  ARROW_RETURN_NOT_OK(CheckNumber("history", options.history, 1, kMostBlocks));
  ARROW_RETURN_NOT_OK(CheckNumber("reorg-depth", options.reorg_depth, 0, kMostReorgDepth));
  ARROW_RETURN_NOT_OK(CheckNumber("logs-per-block", options.logs_per_block, 0, kMostRowsPerBlock));
  ARROW_RETURN_NOT_OK(
      CheckNumber("transactions-per-block", options.transactions_per_block, 0, kMostRowsPerBlock));
  ARROW_RETURN_NOT_OK(CheckNumber("microbatch-blocks", options.microbatch_blocks, 1, kMostBlocks));
  ARROW_RETURN_NOT_OK(CheckNumber("catch-up-blocks", options.catch_up_blocks, 1, 100'000));
  ARROW_RETURN_NOT_OK(CheckNumber("split", static_cast<uint64_t>(options.split), 1, 1'000'000));
  return CheckServer(options);
}

}  // namespace amp
