// The command `ampload`: reads the command line, runs one command, says how it ended.

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "cli/command.h"
#include "cli/json_log.h"
#include "cli/metrics.h"
#include "version.h"

namespace amp::cli {
namespace {

constexpr int kUsageError = 2;
constexpr int kInterrupted = 130;

std::atomic<bool> g_stop = false;
std::atomic<int> g_stop_signal = 0;
// Errors are printed where the options are not at hand.
bool g_json_log = false;

// The first signal asks the load to stop at a batch boundary, a second one ends the process.
void OnStopSignal(int signal) {
  int none = 0;
  g_stop_signal.compare_exchange_strong(none, signal);
  if (g_stop.exchange(true)) _exit(kInterrupted);
}

void InstallSignalHandlers() {
  struct sigaction action {};
  action.sa_handler = OnStopSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A closed pipe or a file at its size limit is an error where it happens, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void PrintJsonError(const std::string& message) {
  const std::string line = JsonLogLine(spdlog::log_clock::now(), "error", message);
  std::fprintf(stderr, "%s\n", line.c_str());
}

void SetUpLog(const CommonOptions& common) {
  g_json_log = common.log_format == "json";
  const bool color =
      !g_json_log && std::getenv("NO_COLOR") == nullptr && isatty(STDERR_FILENO) == 1;
  auto log = color ? spdlog::stderr_color_mt("ampload") : spdlog::stderr_logger_mt("ampload");
  if (g_json_log) {
    log->set_formatter(MakeJsonFormatter());
  } else {
    log->set_pattern("ampload: %^%l%$: %v");
  }
  log->set_level(common.quiet          ? spdlog::level::err
                 : common.verbose >= 2 ? spdlog::level::debug
                 : common.verbose == 1 ? spdlog::level::info
                                       : spdlog::level::warn);
  spdlog::set_default_logger(std::move(log));
}

void AddCommonOptions(CLI::App* app, CommonOptions* common) {
  app->add_option("--set", common->set, "option=value, of the target or the pipeline (repeatable)")
      ->type_name("OPTION=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app->add_option("--config", common->config,
                  "File with named targets and defaults (else AMPLOAD_CONFIG, else ampload.toml)")
      ->type_name("FILE");
  app->add_option("--output", common->output, "What comes on stdout: text or json")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  app->add_option("--log-format", common->log_format,
                  "How stderr has warnings and errors: text or json, an object a line")
      ->check(CLI::IsMember({"text", "json"}).description(""))
      ->type_name("text|json");
  app->add_option("--metrics", common->metrics,
                  "Serve /metrics (Prometheus), /healthz and /readyz there while the command runs")
      ->type_name("HOST:PORT");
  app->add_flag("-q,--quiet", common->quiet, "Only errors on stderr");
  app->add_flag("-v", common->verbose, "More on stderr; -vv: still more");
}

// CLI11's own words for what was wrong, in our form.
int UsageError(const CLI::App& app, const CLI::ParseError& error, const CommonOptions& common) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  if (common.log_format == "json") {
    PrintJsonError(error.what());
    return kUsageError;
  }
  std::fprintf(stderr, "ampload: error: %s\nRun `ampload --help` or `ampload COMMAND --help`.\n",
               error.what());
  return kUsageError;
}

int Run(int argc, char** argv) {
  CLI::App app(
      "Loads Arrow data into storage systems: files, all rows or none; streams, exactly once.",
      "ampload");
  app.set_version_flag("--version", AMPLOAD_VERSION);
  app.require_subcommand(1);
  Context context{.app = &app, .common = {}, .stop = &g_stop, .stop_signal = &g_stop_signal};
  AddCommonOptions(&app, &context.common);
  AddLoad(&context);
  AddStream(&context);
  AddRun(&context);
  AddCheck(&context);
  AddInfo(&context);
  AddShow(&context);
  AddMaintain(&context);
  AddUndo(&context);
  AddReset(&context);
  AddVerify(&context);
  AddLoaders(&context);
  AddSimulate(&context);
  AddDemo(&context);
  AddInit(&context);
  AddCompletion(&context);
  for (CLI::App* command : app.get_subcommands({})) command->fallthrough();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error, context.common);
  }
  return context.exit_code;
}

Status RunWithMetrics(Context* context, const std::function<Status()>& run) {
  if (context->common.metrics.empty()) return run();
  ARROW_ASSIGN_OR_RAISE(const auto served, ServedMetrics::Start(context->common.metrics));
  context->metrics = &served->metrics;
  return run();
}

}  // namespace

CLI::App* AddCommand(Context* context, const std::string& name, const std::string& doc,
                     std::function<Status()> run) {
  CLI::App* command = context->app->add_subcommand(name, doc);
  command->callback([context, run = std::move(run)] {
    SetUpLog(context->common);
    const Status status = RunWithMetrics(context, run);
    if (!status.ok()) PrintError(status);
    context->exit_code = ExitCodeOf(status);
  });
  return command;
}

void PrintError(const Status& status) {
  if (g_json_log) return PrintJsonError(status.message());
  std::fprintf(stderr, "ampload: error: %s\n", status.message().c_str());
}

void PrintLine(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace amp::cli

int main(int argc, char** argv) {
  amp::cli::InstallSignalHandlers();
  const int code = amp::cli::Run(argc, argv);
  // What was printed must have arrived: a full disk under stdout is a failure too.
  if (std::fflush(stdout) != 0 && code == 0) return 1;
  return code;
}
