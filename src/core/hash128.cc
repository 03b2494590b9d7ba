#include "core/hash128.h"

// Compiled in here: libarrow does not export it.
#define XXH_INLINE_ALL
#include <arrow/vendored/xxhash.h>

namespace amp {

Hash128 HashBytes(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.low = hash.low64, .high = hash.high64};
}

}  // namespace amp
