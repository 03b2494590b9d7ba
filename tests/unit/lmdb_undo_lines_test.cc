// What LMDB's undo log holds, byte by byte.

#include <gtest/gtest.h>

#include "amp/testing/asserts.h"
#include "core/text.h"
#include "loaders/lmdb/undo_lines.h"

namespace amp::lmdb {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex;
  AppendHex(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &hex);
  return hex;
}

TEST(LmdbUndoLines, RunsAreFirstAndLast) {
  const std::string line = RunsToLine({{.first = 1, .last = 0x2ff}, {.first = 5000, .last = 5000}});
  EXPECT_EQ(Hex(line),
            "72"
            "0000000000000001"
            "00000000000002ff"
            "0000000000001388"
            "0000000000001388");
  AMP_ASSERT_OK_AND_ASSIGN(const auto runs, RunsFromLine(line));
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].last, 0x2ffU);
  EXPECT_EQ(runs[1].first, 5000U);
}

TEST(LmdbUndoLines, PutsHoldKeyHashAndTheValueBefore) {
  std::string line;
  AppendPut({.key = "key", .hash = 0x0102030405060708, .before = "old"}, &line);
  AppendPut({.key = "k", .hash = 9, .before = {}}, &line);
  AppendPut({.key = "e", .hash = 10, .before = ""}, &line);
  EXPECT_EQ(Hex(line),
            "6b"
            "0003"
            "00000003"
            "0102030405060708"
            "6b6579"
            "6f6c64"
            "0001"
            "ffffffff"
            "0000000000000009"
            "6b"
            "0001"
            "00000000"
            "000000000000000a"
            "65");
  AMP_ASSERT_OK_AND_ASSIGN(const auto puts, PutsFromLine(line));
  ASSERT_EQ(puts.size(), 3U);
  EXPECT_EQ(puts[0].key, "key");
  EXPECT_EQ(puts[0].before, "old");
  EXPECT_FALSE(puts[1].before.has_value());
  EXPECT_EQ(puts[2].before, "");
}

TEST(LmdbUndoLines, BrokenLinesAreRefused) {
  std::string line;
  AppendPut({.key = "key", .hash = 1, .before = "old"}, &line);
  for (size_t size = 0; size < line.size(); ++size) {
    if (size == 1) continue;  // a line without rows
    AMP_EXPECT_ERROR(PutsFromLine(line.substr(0, size)), ErrorKind::kDataInvalid, "is broken");
  }
  const std::string runs = RunsToLine({{.first = 1, .last = 2}});
  AMP_EXPECT_ERROR(RunsFromLine(runs.substr(0, 16)), ErrorKind::kDataInvalid, "is broken");
  AMP_EXPECT_ERROR(RunsFromLine(line), ErrorKind::kDataInvalid, "is broken");
}

TEST(LmdbUndoLines, ValuesThatDifferHashDifferently) {
  const std::string value(100, 'x');
  EXPECT_EQ(HashOf(value), HashOf(std::string(100, 'x')));
  for (size_t i = 0; i < value.size(); ++i) {
    std::string other = value;
    other[i] = 'y';
    EXPECT_NE(HashOf(other), HashOf(value)) << i;
    EXPECT_NE(HashOf(value.substr(0, i)), HashOf(value)) << i;
  }
  EXPECT_NE(HashOf(""), HashOf(std::string(1, '\0')));
  EXPECT_NE(HashOf(std::string(7, '\0')), HashOf(std::string(8, '\0')));
  // Written into databases: it must stay what it is.
  EXPECT_EQ(HashOf("ampload streams"), 11513342606867658392ULL);
}

}  // namespace
}  // namespace amp::lmdb
