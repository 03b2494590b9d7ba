#include "cli/facts.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/text_table.h"
#include "core/text.h"

namespace amp::cli {
namespace {

struct ValueText {
  std::string operator()(bool value) const { return value ? "yes" : "no"; }
  std::string operator()(int64_t value) const { return Grouped(value); }
  std::string operator()(double value) const { return fmt::format("{:.6g}", value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::vector<std::string>& values) const {
    return fmt::format("{}", fmt::join(values, ", "));
  }
};

}  // namespace

void PrintFacts(const Metadata& facts) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : facts.entries()) {
    std::string text = std::visit(ValueText{}, value);
    if (!text.empty()) rows.push_back({name, std::move(text)});
  }
  for (const std::string& line : FormatTable(rows, /*widest=*/120)) PrintLine(line);
}

}  // namespace amp::cli
