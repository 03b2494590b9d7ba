#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "amp/error.h"

namespace amp::postgresql {

/// What an SQLSTATE means. https://www.postgresql.org/docs/current/errcodes-appendix.html
ErrorInfo InfoOfSqlState(std::string_view sqlstate);

/// The error in a result: what was done, the server's words, its code, and what to do.
Status ResultError(std::string_view operation, const PGresult* result);

/// The error of a connection: no result came.
Status ConnectionError(std::string_view operation, PGconn* connection);

/// The error of a connection that did not come about. `where` is such as "user@host:5432/db".
/// The connection must have been opened with PQERRORS_VERBOSE, which tells the SQLSTATE.
Status ConnectError(std::string_view where, PGconn* connection);

}  // namespace amp::postgresql
