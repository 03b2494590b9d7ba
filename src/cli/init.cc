// ampload init: a commented configuration file to start from.

#include <filesystem>
#include <fstream>

#include "cli/command.h"

namespace amp::cli {
namespace {

// TOML needs quotes around all but numbers and flags.
std::string Quoted(const FieldSpec& field, const std::string& text) {
  const bool bare = field.type == FieldType::kBool || field.type == FieldType::kInteger ||
                    field.type == FieldType::kNumber;
  if (field.type == FieldType::kList) return "[]";
  if (text.empty() && !field.choices.empty()) return fmt::format("\"{}\"", field.choices[0]);
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
  return out;
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
