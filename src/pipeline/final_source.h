#pragma once

#include <cstdint>
#include <memory>

#include "amp/stream_source.h"

namespace amp {

/// A stream of `inner`'s blocks that `depth` others follow: reorganisations above that depth are
/// settled here and never seen. For targets and structures that cannot undo. A deeper one is
/// ReorgTooDeep. What is held back lies in memory up to `memory` bytes, beyond it in a temporary
/// file.
AMP_EXPORT std::unique_ptr<StreamSource> MakeFinalSource(StreamSource* inner, int64_t depth,
                                                         int64_t memory);

}  // namespace amp
