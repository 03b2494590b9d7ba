#pragma once

#include "amp/transaction.h"
#include "storage/object_store.h"

namespace amp::delta {

/// ConfigInvalid where a table that is to be made would lie among files that are not its own,
/// naming one. What a load or stream that died has left there is no hindrance.
Status CheckIsFree(storage::ObjectStore* store, const TableName& table);

}  // namespace amp::delta
