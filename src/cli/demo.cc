// ampload demo: a chain with reorganisations is streamed into a Delta table by a process that
// is killed in the middle and started again; then every row is compared.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "amp/amp_source.h"
#include "cli/command.h"
#include "core/text.h"
#include "pipeline/verify.h"
#include "sources/simulated/server.h"

extern char** environ;

namespace amp::cli {
namespace {

constexpr std::string_view kTable = "logs";
constexpr std::string_view kQuery = "SELECT * FROM eth.logs";
constexpr int64_t kKillAfterRows = 25'000;

SimulationOptions Chain() {
  SimulationOptions options;
  options.seed = 7;
  options.blocks = 3000;
  options.reorg_rate = 0.05;
  options.reorg_depth = 8;
  options.split = 40;
  options.interrupt_rate = 0.01;
  return options;
}

/// A folder that is gone at the end.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Make() {
    std::string path = (std::filesystem::temp_directory_path() / "ampload-demo-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
      return MakeError(ErrorKind::kUnavailable,
                       fmt::format("no folder can be made in {}",
                                   std::filesystem::temp_directory_path().string()));
    }
    return TemporaryFolder(path);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  std::string file(std::string_view name) const { return fmt::format("{}/{}", path_, name); }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// What a process of `ampload stream` has told on its standard output.
struct Told {
  int64_t rows = 0, commits = 0, reorgs = 0, undone = 0;
  uint64_t block = 0;
  bool done = false;

  void Take(const std::string& line) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    const std::string event = json.is_object() ? json.value("event", "") : "";
    if (event == "commit") {
      ++commits;
      rows += json.value("rows", int64_t{0});
      for (const auto& network : json["checkpoint"]) block = network.value("number", block);
    } else if (event == "reorg") {
      ++reorgs;
      undone += json.value("rows_removed", int64_t{0});
    } else if (event == "done") {
      done = json.value("success", false);
    }
  }
};

/// A process of this same command.
class StreamProcess {
 public:
  static Result<StreamProcess> Start(const std::string& from, const std::string& to) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Status::IOError("no pipe can be made");
    std::vector<std::string> words{"ampload",  "stream",
                                   "--from",   from,
                                   "--query",  std::string(kQuery),
                                   "--to",     to,
                                   "--table",  std::string(kTable),
                                   "--until",  "caught-up",
                                   "--idle",   "500ms",
                                   "--set",    "commit_interval=250ms",
                                   "--output", "json",
                                   "--quiet"};
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t process = 0;
    const int failed =
        posix_spawn(&process, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE* out = fdopen(ends[0], "r");
    if (failed != 0 || out == nullptr) {
      return MakeError(ErrorKind::kUnavailable, "a second process of ampload cannot be started");
    }
    return StreamProcess(process, out);
  }
  StreamProcess(StreamProcess&& other) noexcept
      : process_(std::exchange(other.process_, 0)), out_(std::exchange(other.out_, nullptr)) {}
  StreamProcess& operator=(StreamProcess&&) = delete;
  ~StreamProcess() {
    if (process_ != 0) Kill();
    if (out_ != nullptr) std::fclose(out_);
  }

  /// Reads what the process tells until it ends, or has committed so many rows.
  Told ReadUntil(int64_t rows) {
    Told told;
    char* line = nullptr;
    size_t size = 0;
    while (told.rows < rows && getline(&line, &size, out_) >= 0) told.Take(line);
    std::free(line);
    return told;
  }
  void Kill() {
    kill(process_, SIGKILL);
    Wait();
  }
  void Wait() { waitpid(std::exchange(process_, 0), nullptr, 0); }
  pid_t id() const { return process_; }

 private:
  StreamProcess(pid_t process, FILE* out) : process_(process), out_(out) {}
  pid_t process_;
  FILE* out_;
};

// The process is killed wherever it is just then: mostly in the middle of a commit.
Status StreamAndKill(const std::string& from, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(StreamProcess process, StreamProcess::Start(from, to));
  PrintLine(
      fmt::format("2. A process ({}) streams its event logs into a Delta table …", process.id()));
  const Told told = process.ReadUntil(kKillAfterRows);
  process.Kill();
  PrintLine(fmt::format("   {} rows in {} commits, {} reorganisations undone ({} rows), block {}.",
                        Grouped(told.rows), told.commits, told.reorgs, Grouped(told.undone),
                        Grouped(static_cast<int64_t>(told.block))));
  PrintLine("3. SIGKILL. No farewell, no flush.");
  return Status::OK();
}

Status StreamToTheEnd(const std::string& from, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(StreamProcess process, StreamProcess::Start(from, to));
  PrintLine("4. Started again, with the same command: it goes on from the last commit …");
  const Told told = process.ReadUntil(INT64_MAX);
  process.Wait();
  PrintLine(fmt::format("   {} rows in {} commits, {} reorganisations undone ({} rows), block {}.",
                        Grouped(told.rows), told.commits, told.reorgs, Grouped(told.undone),
                        Grouped(static_cast<int64_t>(told.block))));
  if (told.done) return Status::OK();
  return MakeError(ErrorKind::kInternal, "the second process did not come to the stream's end");
}

Status Compare(const SimulationOptions& chain, const std::string& from, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(const auto loader, Registry::Global().MakeFromUrl(to));
  ARROW_ASSIGN_OR_RAISE(const Session session, loader->Open());
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenAmpSource(from, std::string(kQuery), {}));
  ARROW_ASSIGN_OR_RAISE(const VerifyResult streamed,
                        VerifyStream(loader.get(), source.get(), std::string(kTable), {}));
  ARROW_RETURN_NOT_OK(streamed.ToStatus(std::string(kTable)));
  ARROW_ASSIGN_OR_RAISE(const auto canonical, CanonicalRows(std::string(kQuery), chain));
  ARROW_ASSIGN_OR_RAISE(const VerifyResult rows,
                        VerifyFiles(loader.get(), canonical, std::string(kTable), {}));
  ARROW_RETURN_NOT_OK(rows.ToStatus(std::string(kTable)));
  PrintLine(
      fmt::format("5. Verified: {} rows of the canonical chain, {} in the table, equal. None "
                  "lost, none twice.",
                  Grouped(rows.rows_source), Grouped(rows.rows_target)));
  return Status::OK();
}

Status RunDemo() {
  ARROW_ASSIGN_OR_RAISE(const TemporaryFolder folder, TemporaryFolder::Make());
  const std::string to = "delta:" + folder.file("data");
  const SimulationOptions chain = Chain();
  ARROW_ASSIGN_OR_RAISE(const auto server, SimulatedServer::Start(chain));
  PrintLine(
      fmt::format("1. A server streams a simulated chain of {} blocks at {}; every twentieth "
                  "block comes with a reorganisation.",
                  Grouped(static_cast<int64_t>(*chain.blocks)), server->url()));
  ARROW_RETURN_NOT_OK(StreamAndKill(server->url(), to));
  ARROW_RETURN_NOT_OK(StreamToTheEnd(server->url(), to));
  ARROW_RETURN_NOT_OK(Compare(chain, server->url(), to));
  PrintLine(
      "\nYour own:  ampload simulate --port 1602\n"
      "           ampload stream --from grpc://127.0.0.1:1602 --query 'SELECT * FROM eth.logs' "
      "--to TARGET --table logs\n"
      "           ampload load --from FILES --to TARGET --table NAME");
  return Status::OK();
}

}  // namespace

void AddDemo(Context* context) {
  AddCommand(context, "demo",
             "Stream a chain with reorgs, be killed, go on, compare: in one screen", RunDemo);
}

}  // namespace amp::cli
