// URLs, durations, sizes and times as text. A password must not survive redaction.

#include <cstdlib>

#include "amp/loader.h"
#include "core/time_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)amp::ParseUrl("postgresql:" + text, "database").ok();
  (void)amp::ParseUrl("lmdb:" + text, "path").ok();
  (void)amp::RedactUrl(text);
  for (const auto unit : {arrow::TimeUnit::SECOND, arrow::TimeUnit::NANO}) {
    (void)amp::ParseDuration(text, unit);
    (void)amp::ParseTimeOfDay(text, unit);
    if (const auto value = amp::ParseTimestamp(text, unit)) {
      std::string back;
      amp::AppendTimestamp(*value, unit, true, &back);
      if (amp::ParseTimestamp(back, unit) != value) std::abort();
    }
  }
  for (const char* field : {"memory", "batch_rows"}) {
    (void)amp::ParseConfig<amp::PipelineOptions>("pipeline", {{field, {text}}}).ok();
  }
  return 0;
}
