// Errors: kinds, sides, exit codes; row errors; the JSON of results.

#include "amp/error.h"

#include <nlohmann/json.hpp>
#include <set>

#include "amp/load_result.h"
#include "amp/transaction.h"
#include "unit/arrays.h"

namespace amp {
namespace {

using unit::Fails;

constexpr std::array kAllKinds{
    ErrorKind::kConfigInvalid, ErrorKind::kUnauthenticated, ErrorKind::kNotFound,
    ErrorKind::kAlreadyExists, ErrorKind::kSchemaMismatch,  ErrorKind::kUnsupported,
    ErrorKind::kDataInvalid,   ErrorKind::kRateLimited,     ErrorKind::kUnavailable,
    ErrorKind::kConflict,      ErrorKind::kCommitUnknown,   ErrorKind::kProtocol,
    ErrorKind::kCancelled,     ErrorKind::kInternal,        ErrorKind::kReorgTooDeep,
    ErrorKind::kDifferent};

TEST(Errors, EveryKindIsKeptAndNamed) {
  std::set<std::string_view> names;
  for (const ErrorKind kind : kAllKinds) {
    const Status status = MakeError(kind, "what went wrong");
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(KindOf(status), kind);
    EXPECT_EQ(status.message(), "what went wrong");
    names.insert(ToString(kind));
  }
  EXPECT_EQ(names.size(), kAllKinds.size());
  EXPECT_EQ(ToString(ErrorKind::kConfigInvalid), "ConfigInvalid");
  EXPECT_EQ(ToString(ErrorKind::kCommitUnknown), "CommitUnknown");
  EXPECT_EQ(ToString(ErrorKind::kInternal), "Internal");
}

TEST(Errors, KindsOfOtherLibrariesFollowFromTheirCode) {
  EXPECT_EQ(KindOf(Status::KeyError("")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(Status::TypeError("")), ErrorKind::kSchemaMismatch);
  EXPECT_EQ(KindOf(Status::NotImplemented("")), ErrorKind::kUnsupported);
  EXPECT_EQ(KindOf(Status::Invalid("")), ErrorKind::kDataInvalid);
  EXPECT_EQ(KindOf(Status::IOError("")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(Status::OutOfMemory("")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(Status::Cancelled("")), ErrorKind::kCancelled);
  EXPECT_EQ(KindOf(Status::UnknownError("")), ErrorKind::kInternal);
}

TEST(Errors, SideAndContextKeepTheRest) {
  const Status first = MakeError({.kind = ErrorKind::kConflict,
                                  .operation = "commit",
                                  .target = "db",
                                  .native_code = "40001",
                                  .retryable = true,
                                  .row = 7},
                                 "two writers");
  const Status status = WithSide(WithContext(first, "table 't'"), ErrorSide::kTarget);
  EXPECT_EQ(status.message(), "table 't': two writers");
  const ErrorInfo info = ErrorInfoOf(status);
  EXPECT_EQ(info.kind, ErrorKind::kConflict);
  EXPECT_EQ(info.side, ErrorSide::kTarget);
  EXPECT_EQ(info.operation, "commit");
  EXPECT_EQ(info.target, "db");
  EXPECT_EQ(info.native_code, "40001");
  EXPECT_TRUE(info.retryable);
  EXPECT_EQ(info.row, 7);
  EXPECT_EQ(status.code(), first.code());
  EXPECT_EQ(status.detail()->ToString(), "Conflict (40001)");
}

TEST(Errors, TheFirstSideStays) {
  const Status source = WithSide(MakeError(ErrorKind::kUnavailable, "x"), ErrorSide::kSource);
  EXPECT_EQ(ErrorInfoOf(WithSide(source, ErrorSide::kTarget)).side, ErrorSide::kSource);
}

TEST(Errors, NothingIsAddedToSuccess) {
  EXPECT_TRUE(WithSide(Status::OK(), ErrorSide::kSource).ok());
  EXPECT_TRUE(WithContext(Status::OK(), "context").ok());
}

TEST(Errors, ContextGivesForeignErrorsTheirKind) {
  const Status status = WithContext(Status::IOError("disk"), "file 'a'");
  EXPECT_EQ(KindOf(status), ErrorKind::kUnavailable);
  EXPECT_EQ(status.message(), "file 'a': disk");
}

TEST(Errors, ExitCodes) {
  const auto code = [](ErrorKind kind, ErrorSide side) {
    return ExitCodeOf(MakeError({.kind = kind, .side = side}, "x"));
  };
  EXPECT_EQ(ExitCodeOf(Status::OK()), 0);
  EXPECT_EQ(code(ErrorKind::kInternal, ErrorSide::kTarget), 1);
  EXPECT_EQ(code(ErrorKind::kDifferent, ErrorSide::kTarget), 1);
  EXPECT_EQ(code(ErrorKind::kConfigInvalid, ErrorSide::kSource), 2);
  EXPECT_EQ(code(ErrorKind::kNotFound, ErrorSide::kSource), 3);
  EXPECT_EQ(code(ErrorKind::kProtocol, ErrorSide::kSource), 3);
  EXPECT_EQ(code(ErrorKind::kUnauthenticated, ErrorSide::kSource), 3);
  EXPECT_EQ(code(ErrorKind::kDataInvalid, ErrorSide::kSource), 3);
  EXPECT_EQ(code(ErrorKind::kUnavailable, ErrorSide::kTarget), 4);
  EXPECT_EQ(code(ErrorKind::kNotFound, ErrorSide::kTarget), 4);
  EXPECT_EQ(code(ErrorKind::kConflict, ErrorSide::kTarget), 4);
  EXPECT_EQ(code(ErrorKind::kCommitUnknown, ErrorSide::kNone), 4);
  EXPECT_EQ(code(ErrorKind::kSchemaMismatch, ErrorSide::kSource), 5);
  EXPECT_EQ(code(ErrorKind::kDataInvalid, ErrorSide::kTarget), 5);
  EXPECT_EQ(code(ErrorKind::kUnsupported, ErrorSide::kNone), 5);
  EXPECT_EQ(code(ErrorKind::kCancelled, ErrorSide::kNone), 130);
}

TEST(RowErrors, AHundredAndNoMore) {
  RowErrors errors;
  EXPECT_TRUE(errors.empty());
  for (int64_t row = 0; row < 100; ++row) ASSERT_TRUE(errors.Add(row, "bad").ok()) << row;
  EXPECT_TRUE(Fails(errors.Add(100, "worst"), ErrorKind::kDataInvalid,
                    {"more than 100 rows", "row 100: worst"}));
  EXPECT_EQ(errors.messages().size(), 101U);
}

TEST(RowErrors, FiveAreShown) {
  RowErrors errors;
  EXPECT_TRUE(errors.Judge(0).ok());
  for (int64_t row = 0; row < 5; ++row) ASSERT_TRUE(errors.Add(row * 10, "bad").ok());
  EXPECT_EQ(errors.Judge(0).message(),
            "no row could be stored: row 0: bad; row 10: bad; row 20: bad; row 30: bad; "
            "row 40: bad");
  ASSERT_TRUE(errors.Add(50, "bad").ok());
  ASSERT_TRUE(errors.Add(60, "bad").ok());
  EXPECT_EQ(errors.Judge(3).message(),
            "7 rows were skipped: row 0: bad; row 10: bad; row 20: bad; row 30: bad; "
            "row 40: bad; … and 2 more");
  EXPECT_EQ(ExitCodeOf(errors.Judge(3)), 5);
}

TEST(LoadResult, JsonOfASuccess) {
  LoadResult result{.success = true,
                    .rows_loaded = 3,
                    .duration_seconds = 0.25,
                    .rows_per_second = 12,
                    .table_name = "ta\"ble",
                    .loader = "lmdb",
                    .mode = LoadMode::kUpsert,
                    .error = "",
                    .metadata = {{"operation", std::string("load_table")},
                                 {"total_rows", int64_t{3}},
                                 {"table_size_mb", 1.5},
                                 {"flag", true},
                                 {"errors", std::vector<std::string>{"a", "b"}}},
                    .status = {}};
  EXPECT_EQ(result.ToJson(),
            R"({"success":true,"rows_loaded":3,"duration_seconds":0.25,"rows_per_second":12.0,)"
            R"("table_name":"ta\"ble","loader":"lmdb","mode":"upsert","error":null,)"
            R"("metadata":{"operation":"load_table","total_rows":3,"table_size_mb":1.5,)"
            R"("flag":true,"errors":["a","b"]}})");
}

TEST(LoadResult, JsonOfAFailure) {
  LoadResult result;
  result.error = "not\nUTF-8: \xFF";
  const std::string text = result.ToJson();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["success"], false);
  EXPECT_EQ(json["error"], "not\nUTF-8: \uFFFD");
  EXPECT_EQ(json["metadata"], nlohmann::json::object());
}

TEST(Metadata, KeepsTheOrderOfItsFirstSetting) {
  Metadata metadata{{"a", int64_t{1}}, {"b", true}};
  metadata.Set("a", std::string("new"));
  metadata.Merge({{"c", 0.5}, {"b", false}});
  ASSERT_EQ(metadata.entries().size(), 3U);
  EXPECT_EQ(metadata.entries()[0], Metadata::Entry("a", std::string("new")));
  EXPECT_EQ(metadata.entries()[1], Metadata::Entry("b", false));
  EXPECT_EQ(std::get<double>(*metadata.Find("c")), 0.5);
  EXPECT_EQ(metadata.Find("d"), nullptr);
}

TEST(LoadMode, NamesThereAndBack) {
  for (const auto mode :
       {LoadMode::kAppend, LoadMode::kOverwrite, LoadMode::kUpsert, LoadMode::kMerge}) {
    EXPECT_EQ(ParseLoadMode(ToString(mode)).ValueOrDie(), mode);
  }
  EXPECT_TRUE(Fails(ParseLoadMode("Append").status(), ErrorKind::kConfigInvalid,
                    {"'Append'", "append, overwrite, upsert, merge"}));
}

}  // namespace
}  // namespace amp
