// What an Amp server says about a message: what is accepted must hold what the parser promises.

#include <cstdlib>
#include <set>

#include "sources/amp/app_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto metadata = amp::ParseAppMetadata({reinterpret_cast<const char*>(data), size});
  if (!metadata.ok()) {
    if (amp::KindOf(metadata.status()) != amp::ErrorKind::kProtocol) std::abort();
    return 0;
  }
  std::set<std::string> networks;
  for (const amp::BlockRange& range : metadata->ranges) {
    if (range.end < range.start || range.hash.size() != 66) std::abort();
    if (range.prev_hash.empty() && range.start != 0) std::abort();
    if (!networks.insert(range.network).second) std::abort();
  }
  return 0;
}
