#include "cli/run_ampload.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "amp/testing/servers.h"

namespace amp::testing {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

std::vector<char*> Pointers(std::vector<std::string>* words) {
  std::vector<char*> pointers;
  for (std::string& word : *words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

void Redirect(const std::string& path, int flags, int to) {
  const int fd = open(path.c_str(), flags, 0600);
  dup2(fd, to);
  close(fd);
}

}  // namespace

std::string WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

CommandResult RunAmpload(const std::vector<std::string>& arguments, const CommandOptions& options) {
  const TemporaryFolder folder;
  std::vector<std::string> words{AMPLOAD_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment{"PATH=/usr/bin:/bin", "HOME=" + folder.path()};
  for (const char* kept : {"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                           "ARROW_DEFAULT_MEMORY_POOL"}) {
    if (const char* value = std::getenv(kept))
      environment.push_back(std::string(kept) + "=" + value);
  }
  environment.insert(environment.end(), options.environment.begin(), options.environment.end());
  const std::string input =
      options.input_path.empty() ? WriteFile(folder.file("in"), options.input) : options.input_path;
  auto argv = Pointers(&words);
  auto envp = Pointers(&environment);
  const pid_t child = fork();
  if (child == 0) {
    // Read and write: so opening a pipe without a writer does not wait.
    Redirect(input, O_RDWR, STDIN_FILENO);
    Redirect(folder.file("out"), O_WRONLY | O_CREAT, STDOUT_FILENO);
    Redirect(folder.file("err"), O_WRONLY | O_CREAT, STDERR_FILENO);
    if (options.file_size_limit >= 0) {
      const auto limit = static_cast<rlim_t>(options.file_size_limit);
      const rlimit limits{limit, limit};
      setrlimit(RLIMIT_FSIZE, &limits);
    }
    if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(126);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  if (options.interrupt_after_ms >= 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.interrupt_after_ms));
    kill(child, SIGINT);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CommandResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = ReadFile(folder.file("out"));
  result.err = ReadFile(folder.file("err"));
  return result;
}

}  // namespace amp::testing
