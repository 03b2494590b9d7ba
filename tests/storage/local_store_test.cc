// What a folder does beyond what every store does.

#include <arrow/buffer.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "storage/open_store.h"

namespace amp::testing {
namespace {

namespace fs = std::filesystem;

using storage::ObjectStore;
using storage::OpenStore;
using storage::PutOutcome;

class LocalStoreTest : public ::testing::Test {
 protected:
  std::vector<std::string> Files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
    }
    return names;
  }

  // Nothing of a MiB is left where it has no room, and what was there stays.
  void ExpectNoRoom(const std::string& text) {
    const std::string bytes(1 << 20, 'x');
    AMP_ASSERT_OK(store_->Put("kept", "old"));
    AMP_EXPECT_ERROR(store_->PutIfAbsent("a", bytes), ErrorKind::kUnavailable, text);
    AMP_EXPECT_ERROR(store_->Put("kept", bytes), ErrorKind::kUnavailable, text);
    {
      AMP_ASSERT_OK_AND_ASSIGN(const auto output, store_->Create("c"));
      AMP_EXPECT_ERROR(output->Write(arrow::Buffer::FromString(bytes)), ErrorKind::kUnavailable,
                       text);
    }
    EXPECT_EQ(Files(), std::vector<std::string>{"kept"});
    EXPECT_EQ((*store_->Read("kept"))->ToString(), "old");
  }

  TemporaryFolder folder_;
  std::shared_ptr<ObjectStore> store_ = OpenStore(folder_.path(), {}).ValueOrDie();
};

/// The largest file that this process may write, while it is in scope.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_F(LocalStoreTest, NothingIsLeftBesideTheFiles) {
  AMP_ASSERT_OK(store_->Put("a", "x"));
  EXPECT_EQ(store_->PutIfAbsent("a", "x").ValueOrDie(), PutOutcome::kExists);
  EXPECT_EQ(store_->PutIfAbsent("b", "x").ValueOrDie(), PutOutcome::kWritten);
  EXPECT_EQ(Files().size(), 2U);
}

TEST_F(LocalStoreTest, WhatACrashLeftIsNotListed) {
  std::ofstream(folder_.file(".0123456789abcdef-7.amp-tmp")) << "half";
  std::ofstream(folder_.file(".hidden-but-no-leftover")) << "x";
  const auto listed = store_->List("", {.recursive = true}).ValueOrDie();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].path, ".hidden-but-no-leftover");
}

// Killed at any moment, a writer leaves the object whole or not at all.
TEST_F(LocalStoreTest, AKilledWriterLeavesWholeObjects) {
  const std::string bytes(256 << 10, 'x');
  const pid_t writer = fork();
  if (writer == 0) {
    for (int i = 0;; ++i) {
      if (!store_->PutIfAbsent("log/" + std::to_string(i), bytes).ok()) _exit(1);
    }
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  kill(writer, SIGKILL);
  waitpid(writer, nullptr, 0);
  const auto listed = store_->List("log", {}).ValueOrDie();
  EXPECT_FALSE(listed.empty());
  for (const auto& object : listed) EXPECT_EQ(object.size, 256 << 10) << object.path;
}

TEST_F(LocalStoreTest, AFileThatMayNotGrowIsSaidSoAndLeavesNothing) {
  const FileSizeLimit limit(64 << 10);
  ExpectNoRoom("ulimit -f");
}

/// A disk of 64 KiB; not everywhere may root make one.
class TinyDisk {
 public:
  explicit TinyDisk(std::string path)
      : path_(std::move(path)),
        mounted_(mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=64k") == 0) {}
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;
  ~TinyDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_;
};

TEST_F(LocalStoreTest, AFullDiskIsSaidSoAndLeavesNothing) {
  const TinyDisk disk(folder_.path());
  const FileSizeLimit limit(disk.mounted() ? RLIM_INFINITY : 64 << 10);
  ExpectNoRoom(disk.mounted() ? "The disk is full" : "ulimit -f");
}

TEST_F(LocalStoreTest, FoldersThatCannotBeMadeOrReadAreNamed) {
  std::ofstream(folder_.file("file")) << "x";
  AMP_EXPECT_ERROR(store_->Put("file/a", "x"), ErrorKind::kNotFound, "/file");
  AMP_EXPECT_ERROR(store_->Read("file/a"), ErrorKind::kNotFound, "/file/a");
  fs::create_directory(folder_.file("folder"));
  AMP_EXPECT_ERROR(store_->Read("folder"), ErrorKind::kNotFound, "It is a folder");
  AMP_EXPECT_ERROR(store_->Put(std::string(300, 'n'), "x"), ErrorKind::kConfigInvalid, "shorter");
}

// Root may do everything, so another user tries.
TEST_F(LocalStoreTest, MissingPermissionsAreUnauthenticated) {
  fs::create_directory(folder_.file("locked"));
  std::ofstream(folder_.file("locked/secret")) << "x";
  ASSERT_EQ(chmod(folder_.file("locked/secret").c_str(), 0), 0);
  ASSERT_EQ(chmod(folder_.file("locked").c_str(), 0555), 0);
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(3);
    const bool read = KindOf(store_->Read("locked/secret").status()) == ErrorKind::kUnauthenticated;
    const bool put = KindOf(store_->Put("locked/a", "x")) == ErrorKind::kUnauthenticated;
    const bool gone = KindOf(store_->Delete({"locked/secret"})) == ErrorKind::kUnauthenticated;
    _exit((read ? 0 : 1) + (put ? 0 : 10) + (gone ? 0 : 20));
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  chmod(folder_.file("locked").c_str(), 0755);
}

TEST_F(LocalStoreTest, AnExistingNameIsNotWrittenOver) {
  AMP_ASSERT_OK(store_->Put("a", "old"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto object, store_->Create("a"));
  AMP_ASSERT_OK(object->Write(arrow::Buffer::FromString("new")));
  AMP_EXPECT_ERROR(object->Close(), ErrorKind::kAlreadyExists, "/a'");
  EXPECT_EQ((*store_->Read("a"))->ToString(), "old");
}

TEST_F(LocalStoreTest, LinksToFilesAreListedAndLinksToNowhereAreNot) {
  AMP_ASSERT_OK(store_->Put("a", "1234"));
  fs::create_symlink("a", folder_.file("b"));
  fs::create_symlink("nowhere", folder_.file("c"));
  fs::create_directory_symlink(".", folder_.file("round"));
  const auto listed = store_->List("", {.recursive = true}).ValueOrDie();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[1].path, "b");
  EXPECT_EQ(listed[1].size, 4);
}

}  // namespace
}  // namespace amp::testing
