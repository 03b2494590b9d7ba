// The state of streams in files: batch maps, texts and back, what is broken.

#include "loaders/delta/stream_files.h"

#include <arrow/buffer.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "core/stream_state.h"
#include "storage/open_store.h"

namespace amp::delta {
namespace {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;

BatchEntry Line(int64_t first, int64_t last) {
  return {.first_id = first,
          .last_id = last,
          .ranges = {{.network = "eth",
                      .start = static_cast<uint64_t>(first),
                      .end = static_cast<uint64_t>(last),
                      .hash = "0xa",
                      .prev_hash = "0xb"}},
          .rows = 3,
          .batches = last - first + 1,
          .completed_at = 5};
}

std::vector<BatchEntry> Lines(int64_t first, int64_t last) {
  std::vector<BatchEntry> lines;
  for (int64_t id = first; id <= last; ++id) lines.push_back(Line(id, id));
  return lines;
}

StoredStream Stream(std::vector<BatchEntry> newest = Lines(1, 3)) {
  StoredStream stream;
  stream.state = NewStreamState({.name = "main",
                                 .table = "t",
                                 .schema = arrow::schema({arrow::field("k", arrow::int64())}),
                                 .query = "SELECT 1"},
                                0);
  stream.lines = BatchLines({}, std::move(newest));
  stream.table_id = "the-table";
  return stream;
}

/// Lines in files, as a stream with a long life has them.
class Moved {
 public:
  Moved() {
    files_["a"] = Lines(1, 300);
    files_["b"] = Lines(301, 600);
  }
  BatchLines lines() const { return BatchLines({{"a", 1, 300}, {"b", 301, 600}}, Lines(601, 610)); }
  BatchLines::ReadFile Reader() {
    return [this](const LinesFile& file) -> Result<std::vector<BatchEntry>> {
      read_.push_back(file.name);
      return files_.at(file.name);
    };
  }
  const Strings& read() const { return read_; }

 private:
  std::map<std::string, std::vector<BatchEntry>> files_;
  Strings read_;
};

TEST(DeltaBatchLines, NewOnesNeedNoOlderFile) {
  Moved moved;
  BatchLines lines = moved.lines();
  AMP_ASSERT_OK(lines.Put(Lines(611, 612), moved.Reader()));
  AMP_ASSERT_OK(lines.Put({Line(605, 608)}, moved.Reader()));
  EXPECT_TRUE(moved.read().empty());
  AMP_ASSERT_OK_AND_ASSIGN(const auto all, lines.ReadAll(moved.Reader()));
  ASSERT_EQ(all.size(), 609U);
  EXPECT_EQ(all[604], Line(605, 608));
  EXPECT_EQ(all[605], Line(609, 609));
}

TEST(DeltaBatchLines, ACoarserLineReachesIntoAFile) {
  Moved moved;
  BatchLines lines = moved.lines();
  AMP_ASSERT_OK(lines.Put({Line(599, 602)}, moved.Reader()));
  EXPECT_EQ(moved.read(), Strings{"b"});
  ASSERT_EQ(lines.older().size(), 1U);
  AMP_ASSERT_OK_AND_ASSIGN(const auto all, lines.ReadAll(moved.Reader()));
  ASSERT_EQ(all.size(), 607U);
  EXPECT_EQ(all[598], Line(599, 602));
  EXPECT_EQ(all[599], Line(603, 603));
}

TEST(DeltaBatchLines, UndoingDropsFilesWholeAndReadsOne) {
  for (const int64_t id : {0, 1, 150, 299, 300, 301, 450, 600, 605, 610, 700}) {
    Moved moved;
    BatchLines lines = moved.lines();
    AMP_ASSERT_OK(lines.DropAfter(id, moved.Reader()));
    EXPECT_LE(moved.read().size(), 1U) << id;
    AMP_ASSERT_OK_AND_ASSIGN(const auto all, lines.ReadAll(moved.Reader()));
    EXPECT_EQ(all, Lines(1, std::min<int64_t>(id, 610))) << id;
  }
}

TEST(DeltaBatchLines, OnlyFinalLinesMove) {
  BatchLines lines({}, Lines(1, 400));
  EXPECT_EQ(lines.CountToMove(0), 0U);
  EXPECT_EQ(lines.CountToMove(255), 0U);
  const size_t count = lines.CountToMove(300);
  EXPECT_GT(count, 250U);
  EXPECT_LT(count, 300U);
  lines.Moved(count, "x");
  EXPECT_EQ(lines.older(), (std::vector<LinesFile>{{"x", 1, static_cast<int64_t>(count)}}));
  EXPECT_EQ(lines.newest(), Lines(static_cast<int64_t>(count) + 1, 400));
}

class DeltaStreamFiles : public ::testing::Test {
 protected:
  std::string PathOf(const StoredStream& stream) const {
    return fmt::format("_delta_log/_ampload/{}/{:020}.json", stream.state.name, stream.number);
  }
  testing::TemporaryFolder folder_;
  std::shared_ptr<storage::ObjectStore> store_ =
      storage::OpenStore(folder_.path(), {}).ValueOrDie();
  StreamFiles files_{store_.get()};
};

TEST_F(DeltaStreamFiles, WhatIsWrittenIsReadBack) {
  StoredStream stream = Stream();
  int64_t last = 0;
  for (int64_t revision = 1; revision <= 5; ++revision) {
    AMP_ASSERT_OK(files_.Write(&stream));
    EXPECT_EQ(stream.revision, revision);
    EXPECT_GT(stream.number, last);
    last = stream.number;
    AMP_ASSERT_OK_AND_ASSIGN(const StoredStream read, files_.Read("main", stream.number));
    EXPECT_EQ(StoredStreamToText(read), StoredStreamToText(stream));
    EXPECT_EQ(read.lines.newest(), Lines(1, 3));
    EXPECT_EQ(read.number, stream.number);
    EXPECT_EQ(read.table_id, "the-table");
  }
}

TEST_F(DeltaStreamFiles, TwoWhoWriteTheSameRevisionHaveAFileEach) {
  StoredStream one = Stream();
  StoredStream two = Stream();
  AMP_ASSERT_OK(files_.Write(&one));
  AMP_ASSERT_OK(files_.Write(&two));
  EXPECT_NE(one.number, two.number);
}

TEST_F(DeltaStreamFiles, FinalLinesGoIntoFilesThatMustBeThere) {
  StoredStream stream = Stream(Lines(1, 1000));
  stream.state.checkpoint.final_id = 900;
  AMP_ASSERT_OK(files_.Write(&stream));
  ASSERT_EQ(stream.lines.older().size(), 1U);
  AMP_ASSERT_OK_AND_ASSIGN(const StoredStream read, files_.Read("main", stream.number));
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState whole, files_.ReadWhole(read));
  EXPECT_EQ(whole.checkpoint.entries, Lines(1, 1000));
  const std::string lines = "_delta_log/_ampload/main/" + stream.lines.older()[0].name;
  for (const char* broken : {"", "[", "{}", "[1]", R"([{"first_id":true}])"}) {
    AMP_ASSERT_OK(store_->Put(lines, broken));
    AMP_EXPECT_ERROR(files_.ReadWhole(read), ErrorKind::kDataInvalid, lines);
  }
  AMP_ASSERT_OK(store_->Delete({lines}));
  AMP_EXPECT_ERROR(files_.ReadWhole(read), ErrorKind::kDataInvalid, "is missing");
}

TEST_F(DeltaStreamFiles, AnotherStateInItsPlaceIsNotTaken) {
  StoredStream stream = Stream();
  AMP_ASSERT_OK(files_.Write(&stream));
  AMP_EXPECT_ERROR(files_.Read("main", stream.number + (1 << 20)), ErrorKind::kDataInvalid,
                   "is missing");
  AMP_EXPECT_ERROR(files_.Read("other", stream.number), ErrorKind::kDataInvalid, "is missing");
  StoredStream other = Stream();
  other.state.name = "other";
  other.revision = stream.revision;
  AMP_ASSERT_OK(store_->Put(PathOf(stream), StoredStreamToText(other)));
  AMP_EXPECT_ERROR(files_.Read("main", stream.number), ErrorKind::kDataInvalid, "another stream");
  stream.revision += 1;
  AMP_ASSERT_OK(store_->Put(PathOf(stream), StoredStreamToText(stream)));
  AMP_EXPECT_ERROR(files_.Read("main", stream.number), ErrorKind::kDataInvalid, PathOf(stream));
}

TEST_F(DeltaStreamFiles, NamesOfAnyKindHaveFoldersOfTheirOwn) {
  std::set<std::string> seen;
  for (const std::string& name : {std::string("a/b"), std::string("a b"), std::string(".."),
                                  std::string("ä"), std::string(300, 'x'), std::string(301, 'x')}) {
    StoredStream stream = Stream();
    stream.state.name = name;
    AMP_ASSERT_OK(files_.Write(&stream));
    AMP_ASSERT_OK_AND_ASSIGN(const StoredStream read, files_.Read(name, stream.number));
    EXPECT_EQ(read.state.name, name);
    EXPECT_EQ(StreamOfAppId(AppIdOf(name)), name);
  }
  EXPECT_EQ(StreamOfAppId("spark-stream"), std::nullopt);
  AMP_ASSERT_OK_AND_ASSIGN(const auto files, store_->List("", {.recursive = true}));
  for (const auto& file : files) seen.insert(file.path.substr(0, file.path.rfind('/')));
  EXPECT_EQ(seen.size(), 6U);
}

TEST_F(DeltaStreamFiles, CleaningUpKeepsWhatMayBeRead) {
  StoredStream stream = Stream(Lines(1, 300));
  stream.state.checkpoint.final_id = 300;
  for (int i = 0; i < 100; ++i) AMP_ASSERT_OK(files_.Write(&stream));
  const std::string lines = "_delta_log/_ampload/main/" + stream.lines.older().at(0).name;
  const std::string left = "_delta_log/_ampload/main/batches-00000000000000000007-abcd.json";
  const std::string fresh = "_delta_log/_ampload/main/batches-00000000000000000008-abcd.json";
  const std::string others = "_delta_log/_ampload/main/notes.txt";
  for (const std::string& path : {left, fresh, others}) AMP_ASSERT_OK(store_->Put(path, "[]"));
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(48);
  for (const std::string& path : {left, lines}) {
    std::filesystem::last_write_time(folder_.file(path), old);
  }
  AMP_ASSERT_OK(files_.CleanUp(stream));
  EXPECT_TRUE(store_->Read(lines).ok());
  EXPECT_TRUE(store_->Read(fresh).ok());
  EXPECT_TRUE(store_->Read(others).ok());
  EXPECT_FALSE(store_->Read(left).ok());
  AMP_ASSERT_OK_AND_ASSIGN(const auto files, store_->List("", {.recursive = true}));
  EXPECT_EQ(files.size(), 3U + 64U);
  AMP_ASSERT_OK(files_.Read("main", stream.number));
}

TEST(DeltaStreamText, WhatIsMissingOrOfAnotherTypeIsBroken) {
  StoredStream stream = Stream();
  stream.lines = BatchLines({{"batches-1.json", 1, 300}}, Lines(301, 302));
  const Json good = Json::parse(StoredStreamToText(stream));
  AMP_ASSERT_OK(StoredStreamFromText(good.dump()));
  const auto expect_broken = [](const Json& json, const std::string& what) {
    const auto read = StoredStreamFromText(json.dump());
    ASSERT_FALSE(read.ok()) << what << ": " << json.dump();
    const ErrorKind kind = KindOf(read.status());
    EXPECT_TRUE(kind == ErrorKind::kDataInvalid ||
                (kind == ErrorKind::kUnsupported && what.find("format") != std::string::npos))
        << what << ": " << read.status().ToString();
  };
  // Every member of every object in it.
  const Json flat = good.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    Json::json_pointer path(pointer);
    if (path.parent_pointer() == "/stream/key"_json_pointer) continue;
    for (; !path.empty(); path = path.parent_pointer()) {
      if (!good.at(path.parent_pointer()).is_object()) continue;
      Json without = good;
      without.at(path.parent_pointer()).erase(path.back());
      if (path.back() != "timestamp") expect_broken(without, "without " + path.to_string());
      const Json& right = good.at(path);
      for (const Json& wrong : {Json(nullptr), Json(true), Json(-1), Json(1e300), Json("x"),
                                Json::array({1}), Json::object({{"a", 1}})}) {
        if (wrong.type() == right.type() && !right.is_number()) continue;
        Json changed = good;
        changed.at(path) = wrong;
        expect_broken(changed, "another " + path.to_string());
      }
    }
  }
}

TEST(DeltaStreamText, NewerFormatsAndOtherTextsAreRefused) {
  Json json = Json::parse(StoredStreamToText(Stream()));
  json["format"] = 2;
  AMP_EXPECT_ERROR(StoredStreamFromText(json.dump()), ErrorKind::kUnsupported, "newer");
  for (const char* text : {"", "null", "[]", "{", "1", "\"x\"", "{}", "\xff\xfe"}) {
    AMP_EXPECT_ERROR(StoredStreamFromText(text), ErrorKind::kDataInvalid, "broken");
  }
  const std::string deep = std::string(1'000'000, '[');
  AMP_EXPECT_ERROR(StoredStreamFromText(deep), ErrorKind::kDataInvalid, "broken");
  const std::string nested =
      R"({"format":1,"stream":)" + std::string(500'000, '[') + std::string(500'000, ']') + "}";
  AMP_EXPECT_ERROR(StoredStreamFromText(nested), ErrorKind::kDataInvalid, "broken");
}

TEST(DeltaStreamText, LinesMustBeInOrder) {
  StoredStream stream = Stream({Line(2, 2), Line(1, 1)});
  AMP_EXPECT_ERROR(StoredStreamFromText(StoredStreamToText(stream)), ErrorKind::kDataInvalid,
                   "order");
  stream.lines = BatchLines({{"x", 5, 9}}, Lines(9, 10));
  AMP_EXPECT_ERROR(StoredStreamFromText(StoredStreamToText(stream)), ErrorKind::kDataInvalid,
                   "order");
  stream.lines = BatchLines({{"../x", 5, 9}}, Lines(10, 10));
  AMP_EXPECT_ERROR(StoredStreamFromText(StoredStreamToText(stream)), ErrorKind::kDataInvalid,
                   "folder");
}

}  // namespace
}  // namespace amp::delta
