// Log entries, schemas, names and deletion vectors of Delta tables: what is accepted comes back the
// same when it is written and read again.

#include <cstdlib>
#include <string>
#include <string_view>

#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/deletion_vector.h"
#include "loaders/delta/protocol/log_files.h"
#include "loaders/delta/protocol/paths.h"
#include "loaders/delta/protocol/schema_json.h"
#include "loaders/delta/protocol/snapshot.h"
#include "loaders/delta/protocol/table_features.h"
#include "loaders/delta/protocol/table_properties.h"

namespace {

using namespace amp::delta;

void Require(bool holds) {
  if (!holds) std::abort();
}

void ReadEntry(std::string_view text) {
  const auto actions = ParseActions(text, "fuzz");
  if (!actions.ok()) return;
  const std::string written = SerializeActions(*actions);
  const auto again = ParseActions(written, "again");
  Require(again.ok() && SerializeActions(*again) == written);
  Snapshot snapshot;
  Require(snapshot.Advance(0, *actions).ok());
  for (const Action& action : *actions) {
    const auto* metadata = std::get_if<Metadata>(&action);
    if (metadata == nullptr) continue;
    PropertiesOf(*metadata);
    (void)CheckWritable({2, 6}, *metadata);
  }
}

void ReadSchema(std::string_view text) {
  const auto schema = SchemaFromJson(text);
  if (!schema.ok()) return;
  const auto json = SchemaToJson(**schema);
  if (!json.ok()) return;  // names that differ in case only
  const auto again = SchemaFromJson(*json);
  Require(again.ok() && (*again)->Equals(**schema));
}

void ReadVector(std::string_view bytes) {
  const DeletionVectorDescriptor descriptor{.storage_type = "i",
                                            .path_or_inline_dv = std::string(bytes),
                                            .size_in_bytes = static_cast<int32_t>(bytes.size()),
                                            .cardinality = 1000};
  (void)ParseRowBitmap(bytes, 1000);
  (void)ReadInlineDeletionVector(descriptor);
  (void)ReadDeletionVector(descriptor, bytes);
  (void)DeletionVectorPath(descriptor);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ReadEntry(text);
  ReadSchema(text);
  ReadVector(text);
  ParseLogFileName(text);
  ParseLastCheckpoint(text);
  ParseInterval(text);
  const auto path = DecodePath(text);
  if (path.ok()) Require(DecodePath(EncodePath(*path)).ValueOrDie() == *path);
  return 0;
}
