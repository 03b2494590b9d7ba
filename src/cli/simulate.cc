// ampload simulate: an Amp server over simulated chains, for trying out and for tests.

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/command.h"
#include "core/text.h"
#include "sources/simulated/server.h"

namespace amp::cli {
namespace {

constexpr std::chrono::milliseconds kLook{20};

struct SimulateArguments {
  SimulateArguments() { options.port = 1602; }
  SimulationOptions options;
  std::string networks = "eth", fault;
  double block_milliseconds = 0;
  std::string canonical, canonical_query = "SELECT * FROM logs";
};

Result<SimulationOptions> OptionsOf(const SimulateArguments& arguments) {
  SimulationOptions options = arguments.options;
  options.networks = SplitList(arguments.networks);
  if (!arguments.fault.empty()) {
    ARROW_ASSIGN_OR_RAISE(options.fault, ParseSimulatedFault(arguments.fault));
  }
  if (arguments.block_milliseconds > 0) {
    options.block_time =
        std::chrono::milliseconds(static_cast<int64_t>(arguments.block_milliseconds));
  }
  return options;
}

void PrintListening(const Context& context, const SimulatedServer& server) {
  if (context.common.json()) {
    PrintLine(nlohmann::ordered_json{
        {"event", "listening"}, {"url", server.url()}, {"port", server.port()}}
                  .dump());
  } else {
    PrintLine(fmt::format("listening on {}", server.url()));
  }
  std::fflush(stdout);
}

Status RunCanonical(const Context& context, const SimulateArguments& arguments,
                    const SimulationOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, WriteCanonicalRows(arguments.canonical_query, options,
                                                               arguments.canonical));
  if (context.common.json()) {
    PrintLine(nlohmann::ordered_json{
        {"event", "canonical"}, {"rows", rows}, {"file", arguments.canonical}}
                  .dump());
  } else {
    PrintLine(fmt::format("{} canonical rows in {}", Grouped(rows), arguments.canonical));
  }
  return Status::OK();
}

Status RunSimulate(const Context& context, const SimulateArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const SimulationOptions options, OptionsOf(arguments));
  if (!arguments.canonical.empty()) return RunCanonical(context, arguments, options);
  ARROW_ASSIGN_OR_RAISE(const auto server, SimulatedServer::Start(options));
  PrintListening(context, *server);
  while (!*context.stop && !server->ended()) std::this_thread::sleep_for(kLook);
  ARROW_RETURN_NOT_OK(server->Stop());
  if (*context.stop && *context.stop_signal == SIGINT) {
    return MakeError(ErrorKind::kCancelled, "stopped by Ctrl-C");
  }
  return Status::OK();
}

CLI::Option* Rate(CLI::App* command, const char* name, double* rate, const char* doc) {
  return command->add_option(name, *rate, doc)
      ->check(CLI::Range(0.0, 1.0).description(""))
      ->type_name("0..1");
}

CLI::Option* Number(CLI::App* command, const char* name, uint64_t* number, const char* doc) {
  return command->add_option(name, *number, doc)->type_name("N");
}

void AddChainOptions(CLI::App* command, SimulateArguments* arguments) {
  SimulationOptions& options = arguments->options;
  Number(command, "--seed", &options.seed, "Everything follows from it; 1 where left out");
  command->add_option("--networks", arguments->networks, "One to three names; eth where left out")
      ->type_name("A,B");
  command->add_option("--blocks", options.blocks, "Blocks of each network, then no more")
      ->type_name("N");
  Number(command, "--history", &options.history, "Blocks that are there at the start; 1");
  Number(command, "--logs-per-block", &options.logs_per_block, "20 where left out");
  Number(command, "--transactions-per-block", &options.transactions_per_block, "6 where left out");
  Rate(command, "--empty-rate", &options.empty_rate, "Blocks without transactions and logs; 0");
  Rate(command, "--reorg-rate", &options.reorg_rate, "Blocks that come with a reorg; 0.02");
  Number(command, "--reorg-depth", &options.reorg_depth, "Most blocks a reorg replaces; 3");
  command->add_option("--base-time", options.base_time, "Of block 0; 1700000000 where left out")
      ->type_name("SECONDS");
  command
      ->add_option("--block-time", arguments->block_milliseconds,
                   "Time between blocks, such as 200ms; else as fast as clients read")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, double>{{"ms", 1}, {"s", 1000}, {"m", 60'000}}))
      ->type_name("TIME");
}

void AddStreamOptions(CLI::App* command, SimulateArguments* arguments) {
  SimulationOptions& options = arguments->options;
  Number(command, "--microbatch-blocks", &options.microbatch_blocks,
         "Most blocks of a microbatch near the head; 5");
  Number(command, "--catch-up-blocks", &options.catch_up_blocks, "And far from it; 1000");
  command->add_option("--split", options.split, "Most rows of a message; 16384")->type_name("N");
  Rate(command, "--keepalive-rate", &options.keepalive_rate, "Empty messages in microbatches; 0");
  Rate(command, "--repeat-rate", &options.repeat_rate, "Watermarks sent again; 0");
  Rate(command, "--drop-rate", &options.drop_rate, "Connections cut after a message; 0");
  Rate(command, "--interrupt-rate", &options.interrupt_rate,
       "Messages before which the chain moves on, with an open microbatch; 0");
  Rate(command, "--shallow-rate", &options.shallow_rate,
       "Reorgs said to be shallower than they are; 0");
  command->add_flag("--rows-on-complete", options.rows_on_complete,
                    "The message that completes a microbatch has rows");
  command->add_flag("--end", options.end, "Stop once a stream was sent all blocks");
  command->add_option("--fault", arguments->fault, "A rule to break after N messages: gap, …")
      ->type_name("NAME[@N]");
}

void AddServerOptions(CLI::App* command, SimulateArguments* arguments) {
  SimulationOptions& options = arguments->options;
  command->add_option("--port", options.port, "1602 where left out; 0: a free one")->type_name("P");
  command->add_option("--host", options.host, "127.0.0.1 where left out")->type_name("HOST");
  command->add_option("--tls-cert", options.tls_cert, "Certificate, for TLS")->type_name("FILE");
  command->add_option("--tls-key", options.tls_key, "Its key")->type_name("FILE");
  command->add_option("--token", options.tokens, "To be asked for; again: the next one")
      ->type_name("TOKEN")
      ->take_all()
      ->allow_extra_args(false);
  Number(command, "--endpoints", &options.endpoints, "That share a bounded query; 1");
  command
      ->add_option("--canonical", arguments->canonical,
                   "Write the rows that are canonical in the end to this Parquet file, and exit")
      ->type_name("FILE");
  command->add_option("--canonical-query", arguments->canonical_query, "Of these rows")
      ->type_name("SQL");
}

}  // namespace

void AddSimulate(Context* context) {
  auto arguments = std::make_shared<SimulateArguments>();
  CLI::App* command =
      AddCommand(context, "simulate", "Serve a simulated chain, with reorgs, as Amp servers do",
                 [=] { return RunSimulate(*context, *arguments); });
  AddChainOptions(command, arguments.get());
  AddStreamOptions(command, arguments.get());
  AddServerOptions(command, arguments.get());
}

}  // namespace amp::cli
