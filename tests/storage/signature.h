#pragma once

#include <string>

#include "storage/http_server.h"

namespace amp::testing {

/// Checks a request's AWS Signature Version 4 as a server does, from what came over the wire;
/// written from "Authenticating Requests (AWS Signature Version 4)" of the S3 API reference. Empty
/// where it is right, else what is wrong.
std::string CheckSignature(const SeenRequest& request, const std::string& key_id,
                           const std::string& secret);

std::string HexSha256(const std::string& bytes);

}  // namespace amp::testing
