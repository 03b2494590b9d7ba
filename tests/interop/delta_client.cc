#include "interop/delta_client.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/table.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "amp/testing/servers.h"

extern char** environ;

namespace amp::testing {
namespace {

std::string Python() { return std::getenv("AMPLOAD_PYTHON"); }

/// The reader's process, which ends with this one: its standard input is closed then.
class DeltaReader {
 public:
  static DeltaReader& Get() {
    static DeltaReader reader;
    return reader;
  }

  Result<std::string> Ask(const std::string& request) {
    if (to_ == nullptr) ARROW_RETURN_NOT_OK(Start());
    std::fputs((request + "\n").c_str(), to_);
    std::fflush(to_);
    return Line();
  }

 private:
  DeltaReader() = default;

  Status Start() {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return Status::IOError("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::string python = Python();
    std::string script = AMPLOAD_INTEROP_SCRIPTS "/delta_reader.py";
    char* arguments[] = {python.data(), script.data(), nullptr};
    pid_t process = 0;
    const int code = posix_spawn(&process, python.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    if (code != 0) return Status::IOError("cannot start ", python);
    to_ = fdopen(in[1], "w");
    from_ = fdopen(out[0], "r");
    ARROW_ASSIGN_OR_RAISE(const std::string ready, Line());
    return ready == "ready" ? Status::OK() : Status::IOError("the reader said: ", ready);
  }

  Result<std::string> Line() {
    char* text = nullptr;
    size_t size = 0;
    const ssize_t got = getline(&text, &size, from_);
    std::string line(text == nullptr ? "" : text, got > 0 ? static_cast<size_t>(got) - 1 : 0);
    std::free(text);
    return got > 0 ? Result<std::string>(std::move(line)) : Status::IOError("the reader is gone");
  }

  FILE* to_ = nullptr;
  FILE* from_ = nullptr;
};

}  // namespace

Result<std::shared_ptr<arrow::Table>> ReadDelta(const std::string& folder,
                                                std::optional<int64_t> version,
                                                const nlohmann::json& options) {
  const TemporaryFolder scratch;
  const std::string out = scratch.file("rows.arrow");
  nlohmann::json request{{"table", folder}, {"out", out}};
  if (version) request["version"] = *version;
  if (!options.is_null()) request["options"] = options;
  ARROW_ASSIGN_OR_RAISE(const std::string answer, DeltaReader::Get().Ask(request.dump()));
  if (answer == "none") return nullptr;
  if (answer != "ok") return Status::IOError("delta-rs cannot read ", folder, ": ", answer);
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(out));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(file));
  return reader->ToTable();
}

Status DoWithDelta(const std::string& folder, const std::string& what, nlohmann::json more) {
  more["table"] = folder;
  more["do"] = what;
  ARROW_ASSIGN_OR_RAISE(const std::string answer, DeltaReader::Get().Ask(more.dump()));
  return answer == "ok" ? Status::OK() : Status::IOError(what, " by delta-rs: ", answer);
}

Result<std::string> RunPython(const std::string& script,
                              const std::vector<std::string>& arguments) {
  std::string command = fmt::format("'{}' '{}/{}'", Python(), AMPLOAD_INTEROP_SCRIPTS, script);
  for (const std::string& argument : arguments) command += fmt::format(" '{}'", argument);
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");  // NOLINT(cert-env33-c)
  if (pipe == nullptr) return Status::IOError("cannot run ", command);
  std::string out;
  char buffer[4096];
  while (const size_t got = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  const int code = pclose(pipe);
  return code == 0 ? Result<std::string>(std::move(out)) : Status::IOError(command, ": ", out);
}

}  // namespace amp::testing
