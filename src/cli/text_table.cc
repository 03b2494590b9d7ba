#include "cli/text_table.h"

#include <algorithm>

namespace amp::cli {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

size_t CharactersIn(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

std::string Cut(const std::string& text, size_t widest) {
  if (CharactersIn(text) <= widest) return text;
  size_t bytes = 0;
  for (size_t characters = 0; characters < widest; ++bytes) {
    if (!IsContinuation(text[bytes])) ++characters;
  }
  while (IsContinuation(text[bytes - 1])) --bytes;
  return text.substr(0, bytes - 1) + "…";
}

}  // namespace

std::vector<std::string> FormatTable(const std::vector<std::vector<std::string>>& rows,
                                     size_t widest) {
  std::vector<size_t> widths;
  std::vector<std::vector<std::string>> cut = rows;
  for (auto& row : cut) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = Cut(row[i], widest);
      widths[i] = std::max(widths[i], CharactersIn(row[i]));
    }
  }
  std::vector<std::string> lines;
  for (const auto& row : cut) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - CharactersIn(row[i]) + 2, ' ');
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace amp::cli
