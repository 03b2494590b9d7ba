// ampload init: a commented configuration file to start from.

#include <filesystem>
#include <fstream>

#include "amp/amp_source.h"
#include "cli/command.h"
#include "cli/run_sections.h"

namespace amp::cli {
namespace {

// TOML needs quotes around all but numbers and flags.
std::string Quoted(const FieldSpec& field, const std::string& text) {
  const bool bare = field.type == FieldType::kBool || field.type == FieldType::kInteger ||
                    field.type == FieldType::kNumber;
  if (field.type == FieldType::kList) return text.empty() ? "[]" : fmt::format("[\"{}\"]", text);
  if (text.empty() && !field.choices.empty()) return fmt::format("\"{}\"", field.choices[0]);
  // One that is left out by default: any that can be read.
  if (text.empty() && field.type == FieldType::kDuration) return "\"1s\"";
  return bare && !text.empty() ? text : fmt::format("\"{}\"", text);
}

std::string Example(const FieldSpec& field, std::string_view owner, const void* defaults) {
  if (field.secret) {
    std::string variable = fmt::format("{}_{}", owner, field.name);
    std::transform(variable.begin(), variable.end(), variable.begin(), ::toupper);
    return fmt::format("\"${{{}}}\"", variable);
  }
  return Quoted(field, field.text(defaults));
}

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void AppendFields(const std::vector<FieldSpec>& fields, const ConfigMap& set,
                  std::string_view owner, const void* defaults, std::string* out) {
  for (const FieldSpec& field : fields) {
    if (field.name == "url" || field.type == FieldType::kMap) continue;
    std::string doc(field.doc);
    if (!field.choices.empty()) doc += fmt::format(": {}", fmt::join(field.choices, ", "));
    *out += fmt::format("\n# {}\n", doc);
    const auto given = set.find(field.name);
    if (given != set.end() && !field.secret) {
      *out += fmt::format("{} = {}\n", field.name,
                          Quoted(field, std::get<std::string>(given->second.value)));
    } else {
      *out += fmt::format("{}{} = {}\n", field.required ? "" : "# ", field.name,
                          Example(field, owner, defaults));
    }
  }
}

std::string CommentedOut(const std::string& text) {
  std::string out;
  for (const std::string_view line : SplitLines(text)) {
    const bool as_it_is = line.empty() || line.starts_with("#");
    out += fmt::format("{}{}\n", as_it_is ? "" : "# ", line);
  }
  return out;
}

ConfigMap Examples(std::initializer_list<std::pair<std::string, std::string>> values) {
  ConfigMap map;
  for (const auto& [name, value] : values) map[name] = {.value = value};
  return map;
}

template <class Section>
std::string ExampleSection(const std::string& name, const ConfigMap& set) {
  std::string out = fmt::format("\n[{}]\n", name);
  const Section defaults;
  AppendFields(FieldsOf<Section>(), set, name.substr(name.find('.') + 1), &defaults, &out);
  return CommentedOut(out);
}

// What `stream --from amp` and `run` read: all of it is an example.
std::string SourceAndRunSections() {
  const std::string source = ExampleSection<AmpSourceOptions>("sources.amp", {});
  const std::string header = "# [sources.amp]\n";
  std::string out =
      "\n# An Amp server. Used with: ampload stream --from amp --query SQL --to main --table "
      "NAME\n" +
      header + "# url = \"grpc+tls://amp.example.org:443\"\n" +
      source.substr(source.find(header) + header.size());
  out += "\n# What `ampload run FILE` does, all at once: streams and loads, as many as you like.";
  out += ExampleSection<StreamSection>(
      "streams.logs",
      Examples(
          {{"from", "amp"}, {"query", "SELECT * FROM logs"}, {"to", "main"}, {"max_undo", "128"}}));
  out += ExampleSection<LoadSection>(
      "loads.history",
      Examples({{"from", "history/*.parquet"}, {"to", "main"}, {"job", "history"}}));
  return out;
}

Result<std::string> MakeFile(const std::string& target) {
  const std::string scheme = target.substr(0, target.find(':'));
  ARROW_ASSIGN_OR_RAISE(const LoaderEntry* entry, Registry::Global().Find(scheme));
  ConfigMap set;
  if (target.find(':') != std::string::npos) {
    ARROW_ASSIGN_OR_RAISE(set, ParseUrl(target, entry->traits->url_path));
  }
  const std::string_view name = entry->traits->name;
  std::string out = fmt::format(
      "# Ampload's configuration. Used with:\n"
      "#   ampload load --from FILES --to main --table NAME\n"
      "# What is commented out has its default.\n\n"
      "[targets.main]\nloader = \"{}\"\n",
      name);
  AppendFields(entry->fields(), set, name, entry->defaults.get(), &out);
  out += "\n[pipeline]\n";
  const PipelineOptions defaults;
  AppendFields(FieldsOf<PipelineOptions>(), {}, "pipeline", &defaults, &out);
  return out + SourceAndRunSections();
}

Status WriteNew(const std::string& path, const std::string& content) {
  if (std::filesystem::exists(path)) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("file '{}' exists already; name another", path));
  }
  std::ofstream out(path);
  out << content;
  out.close();
  if (!out) {
    return MakeError(ErrorKind::kConfigInvalid, fmt::format("file '{}' cannot be written", path));
  }
  PrintLine(fmt::format("Wrote {}.", path));
  return Status::OK();
}

}  // namespace

void AddInit(Context* context) {
  auto target = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>("ampload.toml");
  CLI::App* command = AddCommand(context, "init", "Write a commented configuration file", [=] {
    ARROW_ASSIGN_OR_RAISE(const std::string content, MakeFile(*target));
    if (*file != "-") return WriteNew(*file, content);
    PrintLine(content);
    return Status::OK();
  });
  command->add_option("TARGET", *target, "Loader or URL, such as postgresql://host/db")->required();
  command->add_option("FILE", *file, "File to write; - is standard output; else ampload.toml");
}

}  // namespace amp::cli
