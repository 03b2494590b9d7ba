#pragma once

#include <arrow/type_fwd.h>

#include <string_view>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// What a table demands of those who read and write it. Source: PROTOCOL.md, "Table Features" and
/// "Valid Feature Names in Table Features". A feature that a table lists, or that its old protocol
/// version implies, but that nothing in the table uses, binds nobody.
namespace amp::delta {

/// Unsupported, naming every feature that is in the way.
AMP_EXPORT Status CheckReadable(const Protocol& protocol, const Metadata& metadata);
AMP_EXPORT Status CheckWritable(const Protocol& protocol, const Metadata& metadata);

/// The least protocol for a new table with this schema: (1,2), or (3,7) with just what it needs.
AMP_EXPORT Protocol ProtocolFor(const arrow::Schema& schema);

/// Does the protocol have this feature, listed or implied by its version?
AMP_EXPORT bool HasFeature(const Protocol& protocol, std::string_view feature);

/// The protocol with the feature added; old versions become (3,7) with what they implied.
AMP_EXPORT Protocol WithFeature(const Protocol& protocol, std::string_view feature);

}  // namespace amp::delta
