#pragma once

#include <string>
#include <string_view>

#include "storage/http_client.h"

namespace amp::storage {

/// Is another try worth while?
bool IsPassingAnswer(const HttpResponse& response);
/// May the server have done what was asked, although the answer is no success?
bool MayBeDone(const HttpResponse& response);
/// Do the credentials need to be replaced?
bool HasExpiredToken(const HttpResponse& response);

struct S3Place {
  std::string described;  ///< s3://bucket/key
  std::string bucket;
  std::string region;  ///< that requests were signed for
};

/// An answer that is no success, as an error.
Status S3Error(const HttpResponse& response, std::string_view operation, const S3Place& place);

}  // namespace amp::storage
