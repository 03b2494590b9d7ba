// ampload completion: scripts for shells, made from the commands and options that there are.

#include "cli/command.h"

namespace amp::cli {
namespace {

struct CommandWords {
  std::string name;
  std::string doc;
  std::vector<std::string> flags;
};

std::vector<std::string> FlagsOf(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::vector<CommandWords> WordsOf(const CLI::App& app) {
  const std::vector<std::string> common = FlagsOf(app);
  std::vector<CommandWords> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    CommandWords words{command->get_name(), command->get_description(), FlagsOf(*command)};
    words.flags.insert(words.flags.end(), common.begin(), common.end());
    commands.push_back(std::move(words));
  }
  return commands;
}

std::string Bash(const std::vector<CommandWords>& commands) {
  std::vector<std::string> names;
  std::string cases;
  for (const CommandWords& command : commands) {
    names.push_back(command.name);
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command.name, fmt::join(command.flags, " "));
  }
  return fmt::format(
      "_ampload() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} words\n"
      "  case ${{COMP_WORDS[1]}} in\n{}    *) words=\"{}\" ;;\n  esac\n"
      "  [[ $COMP_CWORD == 1 ]] && words=\"{}\"\n"
      "  if [[ $COMP_CWORD == 1 || $word == -* ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
      "  else\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "  fi\n}}\ncomplete -o filenames -F _ampload ampload",
      cases, fmt::join(names, " "), fmt::join(names, " "));
}

std::string Zsh(const std::vector<CommandWords>& commands) {
  std::vector<std::string> described;
  std::string cases;
  for (const CommandWords& command : commands) {
    std::string doc = command.doc;
    std::replace(doc.begin(), doc.end(), '\'', ' ');
    described.push_back(fmt::format("'{}:{}'", command.name, doc));
    cases += fmt::format("    {}) compadd -- {} ;;\n", command.name, fmt::join(command.flags, " "));
  }
  return fmt::format(
      "#compdef ampload\n"
      "_ampload() {{\n"
      "  local -a commands=({})\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  if [[ $words[CURRENT] != -* ]]; then _files; return; fi\n"
      "  case $words[2] in\n{}  esac\n}}\n"
      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _ampload \"$@\"; "
      "else compdef _ampload ampload; fi",
      fmt::join(described, " "), cases);
}

std::string Fish(const std::vector<CommandWords>& commands) {
  std::string script;
  for (const CommandWords& command : commands) {
    std::string doc = command.doc;
    std::replace(doc.begin(), doc.end(), '\'', ' ');
    script += fmt::format("complete -c ampload -n __fish_use_subcommand -f -a {} -d '{}'\n",
                          command.name, doc);
    for (const std::string& flag : command.flags) {
      script += fmt::format("complete -c ampload -n '__fish_seen_subcommand_from {}' -l {}\n",
                            command.name, flag.substr(2));
    }
  }
  script.pop_back();
  return script;
}

}  // namespace

void AddCompletion(Context* context) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = AddCommand(context, "completion", "A completion script for a shell", [=] {
    const auto commands = WordsOf(*context->app);
    PrintLine(*shell == "bash" ? Bash(commands) : *shell == "zsh" ? Zsh(commands) : Fish(commands));
    return Status::OK();
  });
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

}  // namespace amp::cli
