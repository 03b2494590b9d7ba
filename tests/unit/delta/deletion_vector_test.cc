#include "loaders/delta/protocol/deletion_vector.h"

#include "amp/testing/asserts.h"
#include "core/text.h"
#include "loaders/delta/protocol/log_cleanup.h"

namespace amp::delta {
namespace {

// The rows of the inline example of PROTOCOL.md. That one has the format before the present one
// (magic number 1681511376), which no reader takes.
DeletionVectorDescriptor Example() {
  return {.storage_type = "i",
          .path_or_inline_dv = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
          .size_in_bytes = 44,
          .cardinality = 6};
}

TEST(DeltaDeletionVector, RowsAndPathsAreRead) {
  AMP_ASSERT_OK_AND_ASSIGN(const DeletedRows rows, ReadInlineDeletionVector(Example()));
  EXPECT_EQ(rows, (DeletedRows{3, 4, 7, 11, 18, 29}));
  DeletionVectorDescriptor stored{.storage_type = "u",
                                  .path_or_inline_dv = "ab^-aqEH.-t@S}K{vb[*k^",
                                  .offset = 4,
                                  .size_in_bytes = 40,
                                  .cardinality = 6};
  AMP_ASSERT_OK_AND_ASSIGN(const std::string path, DeletionVectorPath(stored));
  EXPECT_EQ(path, "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
  EXPECT_EQ(stored.UniqueId(), "uab^-aqEH.-t@S}K{vb[*k^@4");
  stored.storage_type = "p";
  stored.path_or_inline_dv = "s3://mytable/a%20b.bin";
  AMP_ASSERT_OK_AND_ASSIGN(const std::string absolute, DeletionVectorPath(stored));
  EXPECT_EQ(absolute, "s3://mytable/a b.bin");
}

void AppendLittle(uint64_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

constexpr uint32_t kMagic = 1681511377;

// One bucket, key 1, with a run, an array and a bitmap.
std::string AllContainers() {
  std::string bytes;
  AppendLittle(kMagic, 4, &bytes);
  AppendLittle(1, 8, &bytes);
  AppendLittle(1, 4, &bytes);
  AppendLittle(12347 | (2 << 16), 4, &bytes);  // 3 containers, some with runs
  AppendLittle(0b001, 1, &bytes);              // the first one
  for (const auto& [key, count] : {std::pair{0, 3}, std::pair{1, 2}, std::pair{5, 4097}}) {
    AppendLittle(static_cast<uint64_t>(key), 2, &bytes);
    AppendLittle(static_cast<uint64_t>(count - 1), 2, &bytes);
  }
  AppendLittle(1, 2, &bytes);  // runs: 10, 11, 12
  AppendLittle(10, 2, &bytes);
  AppendLittle(2, 2, &bytes);
  AppendLittle(7, 2, &bytes);  // array
  AppendLittle(65535, 2, &bytes);
  std::string bits(8192, '\0');
  for (size_t i = 0; i < 4097; ++i) bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << (i % 8));
  return bytes + bits;
}

TEST(DeltaDeletionVector, TheOldFormatIsRefused) {
  DeletionVectorDescriptor old = Example();
  old.path_or_inline_dv = "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";
  old.size_in_bytes = 40;
  AMP_EXPECT_ERROR(ReadInlineDeletionVector(old), ErrorKind::kProtocol, "magic number");
}

TEST(DeltaDeletionVector, EveryKindOfContainerIsRead) {
  const std::string bytes = AllContainers();
  AMP_ASSERT_OK_AND_ASSIGN(const DeletedRows rows, ParseRowBitmap(bytes, 3 + 2 + 4097));
  const uint64_t high = uint64_t{1} << 32;
  EXPECT_EQ(rows[0], high + 10);
  EXPECT_EQ(rows[2], high + 12);
  EXPECT_EQ(rows[3], high + 65536 + 7);
  EXPECT_EQ(rows[4], high + 65536 + 65535);
  EXPECT_EQ(rows.back(), high + uint64_t{5} * 65536 + 4096);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseRowBitmap(std::string_view(bytes).substr(0, size), 4102).ok());
  }
  AMP_EXPECT_ERROR(ParseRowBitmap(bytes, 100), ErrorKind::kProtocol, "more rows");
  AMP_EXPECT_ERROR(ParseRowBitmap(bytes, 5000), ErrorKind::kProtocol, "should have 5000");
}

TEST(DeltaDeletionVector, FilesHaveSizeAndChecksum) {
  AMP_ASSERT_OK_AND_ASSIGN(const std::string bitmap, DecodeZ85(Example().path_or_inline_dv));
  // Version, an empty vector's place left out, size, bitmap, CRC-32 of it (by zlib.crc32).
  std::string file("\x01\x00\x00\x00\x2c", 5);
  file += bitmap;
  std::string bad = file;
  file += *HexDecode("acd74a79");
  DeletionVectorDescriptor stored = Example();
  stored.offset = 1;
  const auto rows = ReadDeletionVector(stored, file);
  AMP_ASSERT_OK(rows);
  EXPECT_EQ(rows->size(), 6U);
  AMP_EXPECT_ERROR(ReadDeletionVector(stored, bad), ErrorKind::kProtocol, "ends early");
  bad += "xxxx";
  AMP_EXPECT_ERROR(ReadDeletionVector(stored, bad), ErrorKind::kProtocol, "checksum");
  bad[0] = 2;
  AMP_EXPECT_ERROR(ReadDeletionVector(stored, bad), ErrorKind::kProtocol, "version");
  stored.size_in_bytes = 45;
  AMP_EXPECT_ERROR(ReadDeletionVector(stored, file), ErrorKind::kProtocol, "should have 45");
}

TEST(DeltaDeletionVector, Z85IsThatOfZeroMq) {
  AMP_ASSERT_OK_AND_ASSIGN(const std::string bytes, DecodeZ85("HelloWorld"));
  std::string hex;
  AppendHex(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &hex);
  EXPECT_EQ(hex, "864fd26fb559f75b");
  EXPECT_FALSE(DecodeZ85("Hell").ok());
  EXPECT_FALSE(DecodeZ85("Hell~").ok());
  EXPECT_FALSE(DecodeZ85("#####").ok());
}

std::vector<LogFile> DailyLog(int versions, std::initializer_list<int64_t> checkpoints) {
  std::vector<LogFile> files;
  const auto add = [&](const std::string& name, int64_t version) {
    files.push_back(*ParseLogFileName(name));
    files.back().modified_at = version * 86'400'000 + 3'600'000;
  };
  for (int64_t version = 0; version < versions; ++version) {
    add(CommitName(version), version);
    add(VersionPrefix(version) + ".crc", version);
  }
  for (const int64_t version : checkpoints) add(CheckpointName(version), version);
  return files;
}

TEST(DeltaLogCleanup, KeepsACheckpointForTheOldestVersionKept) {
  const int64_t day = 86'400'000;
  auto files = DailyLog(40, {5, 12, 30});
  files.push_back(*ParseLogFileName(VersionPrefix(3) + "." + VersionPrefix(6) + ".compacted.json"));
  // Day 45: midnight 30 days before is that of day 15; commit 14 is the newest before.
  const CleanupPlan plan = PlanLogCleanup(files, 30 * day, 45 * day + 7'200'000);
  EXPECT_EQ(plan.checkpoint_version, 12);
  EXPECT_EQ(plan.files.size(), 12U * 2 + 2);
  EXPECT_EQ(plan.files.back(), VersionPrefix(11) + ".json");
  EXPECT_EQ(PlanLogCleanup(files, 30 * day, 33 * day).checkpoint_version, -1);
  EXPECT_TRUE(PlanLogCleanup(files, 30 * day, 33 * day).files.empty());
  EXPECT_TRUE(PlanLogCleanup(DailyLog(40, {}), day, 90 * day).files.empty());
}

}  // namespace
}  // namespace amp::delta
