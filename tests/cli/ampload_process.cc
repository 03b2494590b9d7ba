#include "cli/ampload_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace amp::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{2};

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

std::vector<std::string> BareEnvironment(const std::string& home) {
  std::vector<std::string> environment{"PATH=/usr/bin:/bin", "HOME=" + home};
  for (const char* kept : {"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
                           "ARROW_DEFAULT_MEMORY_POOL"}) {
    if (const char* value = std::getenv(kept))
      environment.push_back(std::string(kept) + "=" + value);
  }
  return environment;
}

void LimitFileSize(long bytes) {
  if (bytes < 0) return;
  const auto limit = static_cast<rlim_t>(bytes);
  const rlimit limits{limit, limit};
  setrlimit(RLIMIT_FSIZE, &limits);
}

}  // namespace

AmploadProcess::AmploadProcess(const std::vector<std::string>& arguments,
                               const CommandOptions& options) {
  std::vector<std::string> words{AMPLOAD_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = BareEnvironment(folder_.path());
  environment.insert(environment.end(), options.environment.begin(), options.environment.end());
  const std::string input = options.input_path.empty()
                                ? WriteFile(folder_.file("in"), options.input)
                                : options.input_path;
  const std::string out = folder_.file("out");
  const std::string err = folder_.file("err");
  auto argv = Pointers(&words);
  auto envp = Pointers(&environment);
  pid_ = fork();
  if (pid_ != 0) return;
  // Read and write: so opening a pipe without a writer does not wait.
  Redirect(input, O_RDWR, STDIN_FILENO);
  Redirect(out, O_WRONLY | O_CREAT, STDOUT_FILENO);
  Redirect(err, O_WRONLY | O_CREAT, STDERR_FILENO);
  LimitFileSize(options.file_size_limit);
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(126);
  execve(argv[0], argv.data(), envp.data());
  _exit(127);
}

AmploadProcess::~AmploadProcess() {
  if (!running()) return;
  Signal(SIGKILL);
  Reap(0);
}

void AmploadProcess::Signal(int signal) const {
  if (!exit_code_) kill(pid_, signal);
}

void AmploadProcess::Reap(int flags) {
  int status = 0;
  if (exit_code_ || waitpid(pid_, &status, flags) != pid_) return;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool AmploadProcess::running() {
  Reap(WNOHANG);
  return !exit_code_;
}

bool AmploadProcess::WaitForOutput(const std::string& text, int times) {
  const auto end = Clock::now() + std::chrono::seconds(30);
  while (Clock::now() < end) {
    const bool alive = running();  // asked first: what it printed before its end counts
    if (Occurrences(out(), text) >= times) return true;
    if (!alive) return false;
    std::this_thread::sleep_for(kLook);
  }
  return false;
}

int AmploadProcess::Wait(std::chrono::milliseconds longest) {
  const auto end = Clock::now() + longest;
  while (running() && Clock::now() < end) std::this_thread::sleep_for(kLook);
  if (!running()) return *exit_code_;
  Signal(SIGKILL);
  Reap(0);
  return -1;
}

CommandResult AmploadProcess::Finish(std::chrono::milliseconds longest) {
  const int code = Wait(longest);
  return {.exit_code = code, .out = out(), .err = err()};
}

std::string AmploadProcess::out() const { return ReadFile(folder_.file("out")); }
std::string AmploadProcess::err() const { return ReadFile(folder_.file("err")); }

int Occurrences(const std::string& in, const std::string& text) {
  int times = 0;
  for (size_t at = in.find(text); at != std::string::npos; at = in.find(text, at + text.size())) {
    ++times;
  }
  return times;
}

}  // namespace amp::testing
