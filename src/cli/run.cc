// ampload run: the streams and loads of one file, side by side.

#include <algorithm>
#include <mutex>
#include <thread>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/files_job.h"
#include "cli/run_sections.h"
#include "cli/stream_job.h"
#include "core/log.h"
#include "core/text.h"

namespace amp::cli {
namespace {

std::string Joined(const std::vector<std::string>& list) {
  return fmt::format("{}", fmt::join(list, ","));
}

Result<StreamJob> ReadStream(const std::string& name, const ConfigMap& values) {
  ARROW_ASSIGN_OR_RAISE(const auto section, ParseConfig<StreamSection>("streams." + name, values));
  return StreamJob{.to = section.to,
                   .table = section.table.empty() ? name : section.table,
                   .stream = {.from = section.from,
                              .query = section.query,
                              .source_set = {},
                              .stream = section.stream,
                              .mode = section.mode,
                              .key = Joined(section.key),
                              .until = section.until,
                              .idle = section.idle,
                              .max_undo = section.max_undo,
                              .finality = section.finality,
                              .adopt = section.adopt,
                              .accept_query = section.accept_query}};
}

Result<FilesJob> ReadLoad(const std::string& name, const ConfigMap& values) {
  ARROW_ASSIGN_OR_RAISE(const auto section, ParseConfig<LoadSection>("loads." + name, values));
  return FilesJob{.to = section.to,
                  .table = section.table.empty() ? name : section.table,
                  .job = section.job,
                  .adopt = section.adopt,
                  .source = {.from = section.from,
                             .format = section.format,
                             .columns = Joined(section.columns),
                             .where = section.where},
                  .mode = {.mode = section.mode, .key = Joined(section.key)}};
}

/// All that a file asks for, each on a thread of its own. One that fails ends the others in order.
class Runs {
 public:
  explicit Runs(const Context& context) : context_(context) {
    inner_ = context;
    inner_.stop = &stop_;
  }

  Status Run(const ConfigFile& file) {
    ARROW_RETURN_NOT_OK(Read(file));
    for (const auto& [name, job] : streams_) {
      Start([this, name = name, &job = job] { return Follow(name, job); });
    }
    for (const auto& [name, job] : loads_) {
      Start([this, name = name, &job = job] { return LoadOne(name, job); });
    }
    Watch();
    for (std::thread& thread : threads_) thread.join();
    return failure_;
  }

 private:
  Status Read(const ConfigFile& file) {
    for (const auto& [name, values] : file.streams) {
      ARROW_ASSIGN_OR_RAISE(StreamJob job, ReadStream(name, values));
      streams_.emplace(name, std::move(job));
    }
    for (const auto& [name, values] : file.loads) {
      ARROW_ASSIGN_OR_RAISE(FilesJob job, ReadLoad(name, values));
      loads_.emplace(name, std::move(job));
    }
    if (!streams_.empty() || !loads_.empty()) return Status::OK();
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("'{}' has neither [streams.NAME] nor [loads.NAME]", file.path));
  }

  void Start(std::function<Status()> work) {
    ++running_;
    threads_.emplace_back([this, work = std::move(work)] {
      const Status status = work();
      const std::lock_guard lock(mutex_);
      if (!status.ok() && failure_.ok()) failure_ = status;
      if (!status.ok()) stop_ = true;
      --running_;
    });
  }

  // Passes a signal on.
  void Watch() {
    while (running_ > 0) {
      if (context_.stop->load()) stop_ = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Status Follow(const std::string& name, const StreamJob& job) {
    StreamReport report(name, context_.common.json(), context_.common.quiet);
    auto streamed = FollowStream(inner_, job, &report);
    if (streamed.ok()) report.Done(*streamed);
    const Status status = streamed.ok() ? streamed->status : streamed.status();
    return WithContext(status, "stream " + name);
  }

  Status LoadOne(const std::string& name, const FilesJob& job) {
    const LoadResult result = LoadFiles(inner_, job);
    const std::lock_guard lock(mutex_);
    PrintLoaded(context_, job, result);
    return WithContext(result.status, "load " + name);
  }

  const Context& context_;
  Context inner_;
  std::map<std::string, StreamJob> streams_;
  std::map<std::string, FilesJob> loads_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> running_ = 0;
  std::mutex mutex_;
  Status failure_;
};

Status RunFile(const Context& context, const std::string& path) {
  Context with_file = context;
  with_file.common.config = path;
  ARROW_ASSIGN_OR_RAISE(const ConfigFile file, ReadConfigFile(path));
  const Status status = Runs(with_file).Run(file);
  if (status.ok() && context.interrupted()) {
    return MakeError(ErrorKind::kCancelled, "stopped on request; all that was complete is stored");
  }
  return status;
}

}  // namespace

void AddRun(Context* context) {
  auto path = std::make_shared<std::string>();
  CLI::App* command =
      AddCommand(context, "run", "Run the streams and loads of a file, side by side",
                 [=] { return RunFile(*context, *path); });
  command->add_option("FILE", *path, "TOML file with [streams.NAME] and [loads.NAME]")->required();
}

}  // namespace amp::cli
