// The state of a stream as a file beside a Delta table's log has it: text that is taken is written
// back as the same state.

#include <cstdlib>

#include "loaders/delta/stream_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto stream = amp::delta::StoredStreamFromText({reinterpret_cast<const char*>(data), size});
  if (!stream.ok()) {
    const amp::ErrorKind kind = amp::KindOf(stream.status());
    const bool known = kind == amp::ErrorKind::kDataInvalid || kind == amp::ErrorKind::kUnsupported;
    if (!known) std::abort();
    return 0;
  }
  const std::string text = amp::delta::StoredStreamToText(*stream);
  const auto again = amp::delta::StoredStreamFromText(text);
  if (!again.ok() || amp::delta::StoredStreamToText(*again) != text) std::abort();
  return 0;
}
