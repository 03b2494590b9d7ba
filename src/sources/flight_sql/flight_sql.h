#pragma once

#include <string>
#include <string_view>

#include "amp/error.h"
#include "amp/export.h"

/// The one message of Arrow Flight SQL that asking an Amp server takes, as bytes of a
/// FlightDescriptor's command: google.protobuf.Any { string type_url = 1; bytes value = 2; } around
/// arrow.flight.protocol.sql.CommandStatementQuery { string query = 1; … }, as
/// https://arrow.apache.org/docs/format/FlightSql.html has them.
namespace amp {

inline constexpr std::string_view kStatementQueryUrl =
    "type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery";

/// The command that asks for the rows of `sql`.
AMP_EXPORT std::string EncodeStatementQuery(std::string_view sql);

/// The SQL of such a command; members that are not known are passed over. DataInvalid for bytes
/// that are no protobuf, Unsupported for another command than a statement query.
AMP_EXPORT Result<std::string> DecodeStatementQuery(std::string_view any_bytes);

}  // namespace amp
