// ampload loaders: what there is, and every option.

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/text_table.h"
#include "core/text.h"

namespace amp::cli {
namespace {

std::string ModesOf(const LoaderTraits& traits) {
  std::vector<std::string_view> names;
  for (LoadMode mode :
       {LoadMode::kAppend, LoadMode::kOverwrite, LoadMode::kUpsert, LoadMode::kMerge}) {
    if (traits.modes.contains(mode)) names.push_back(ToString(mode));
  }
  return fmt::format("{}", fmt::join(names, " "));
}

void PrintOptions(std::string_view owner, const std::vector<FieldSpec>& fields,
                  const void* defaults) {
  std::vector<std::vector<std::string>> rows{{"option", "type", "default", "what it is"}};
  for (const FieldSpec& field : fields) {
    std::string type(ToString(field.type));
    if (!field.choices.empty()) type = fmt::format("{}", fmt::join(field.choices, "|"));
    std::string doc(field.doc);
    if (!field.aliases.empty()) doc += fmt::format(" (also: {})", fmt::join(field.aliases, ", "));
    if (field.secret) doc += " (secret; also ${VARIABLE} or file:PATH)";
    rows.push_back(
        {std::string(field.name), type, field.required ? "required" : field.text(defaults), doc});
  }
  for (const std::string& line : FormatTable(rows, /*widest=*/160)) PrintLine(line);
  PrintLine(fmt::format("\nAlso as environment variables, such as {}.",
                        EnvironmentName(owner, fields.front().name)));
}

Status DescribeOne(const std::string& name, bool json) {
  ARROW_ASSIGN_OR_RAISE(const LoaderEntry* entry, Registry::Global().Find(name));
  const LoaderTraits& traits = *entry->traits;
  if (json) {
    PrintLine(JsonSchemaOf(traits.name, entry->fields(), entry->defaults.get()));
    return Status::OK();
  }
  PrintLine(fmt::format("{}: {}\nmodes: {}\n", traits.name, traits.summary, ModesOf(traits)));
  PrintOptions(traits.name, entry->fields(), entry->defaults.get());
  const PipelineOptions defaults;
  PrintLine("\nOf the pipeline, whatever the loader:\n");
  PrintOptions("pipeline", FieldsOf<PipelineOptions>(), &defaults);
  return Status::OK();
}

void ListJson() {
  auto json = nlohmann::ordered_json::array();
  for (const LoaderEntry* entry : Registry::Global().entries()) {
    const LoaderTraits& traits = *entry->traits;
    json.push_back({{"name", traits.name},
                    {"summary", traits.summary},
                    {"modes", nlohmann::ordered_json::array()},
                    {"available", true}});
    for (LoadMode mode :
         {LoadMode::kAppend, LoadMode::kOverwrite, LoadMode::kUpsert, LoadMode::kMerge}) {
      if (traits.modes.contains(mode)) json.back()["modes"].push_back(ToString(mode));
    }
  }
  for (const auto& [name, why] : MissingLoaders()) {
    json.push_back({{"name", name}, {"summary", why}, {"available", false}});
  }
  PrintLine(json.dump());
}

void List() {
  std::vector<std::vector<std::string>> rows{{"loader", "modes", "what it is"}};
  for (const LoaderEntry* entry : Registry::Global().entries()) {
    rows.push_back({std::string(entry->traits->name), ModesOf(*entry->traits),
                    std::string(entry->traits->summary)});
  }
  for (const auto& [name, why] : MissingLoaders()) rows.push_back({name, "not built", why});
  for (const std::string& line : FormatTable(rows, /*widest=*/100)) PrintLine(line);
}

}  // namespace

void AddLoaders(Context* context) {
  auto name = std::make_shared<std::string>();
  CLI::App* command =
      AddCommand(context, "loaders", "The loaders that there are; with a NAME, its options", [=] {
        if (!name->empty()) return DescribeOne(*name, context->common.json());
        context->common.json() ? ListJson() : List();
        return Status::OK();
      });
  command->add_option("NAME", *name, "Loader to describe");
}

}  // namespace amp::cli
