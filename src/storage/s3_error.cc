#include "storage/s3_error.h"

#include <fmt/format.h>

#include <array>

#include "storage/s3_xml.h"

namespace amp::storage {
namespace {

struct Meaning {
  std::string_view code;
  ErrorKind kind;
  std::string_view advice;
};

// "Error responses" of the S3 API reference, and of servers that add their own.
constexpr std::array<Meaning, 22> kMeanings{{
    {"NoSuchKey", ErrorKind::kNotFound, "There is no such object"},
    {"NoSuchBucket", ErrorKind::kNotFound, "There is no such bucket; make it first"},
    {"NoSuchUpload", ErrorKind::kNotFound, "The upload was aborted or has been completed"},
    {"AccessDenied", ErrorKind::kUnauthenticated, "The credentials do not allow that"},
    {"InvalidAccessKeyId", ErrorKind::kUnauthenticated, "The server does not know the access key"},
    {"SignatureDoesNotMatch", ErrorKind::kUnauthenticated, "The secret access key is wrong"},
    {"InvalidToken", ErrorKind::kUnauthenticated, "The session token is wrong"},
    {"ExpiredToken", ErrorKind::kUnauthenticated,
     "The session token has expired; get new credentials"},
    {"TokenRefreshRequired", ErrorKind::kUnauthenticated,
     "The session token has expired; get new credentials"},
    {"RequestTimeTooSkewed", ErrorKind::kUnauthenticated,
     "This machine's clock differs too much from the server's; set it"},
    {"SlowDown", ErrorKind::kRateLimited, "The bucket gets too many requests; use fewer writers"},
    {"TooManyRequests", ErrorKind::kRateLimited,
     "The bucket gets too many requests; use fewer writers"},
    {"RequestTimeout", ErrorKind::kUnavailable, "The connection is too slow"},
    {"ConditionalRequestConflict", ErrorKind::kConflict,
     "Another writer is making the same object"},
    {"OperationAborted", ErrorKind::kConflict, "Another writer is at the same object"},
    {"PreconditionFailed", ErrorKind::kConflict, "The object is another one now"},
    {"NotImplemented", ErrorKind::kUnsupported,
     "The server cannot do that; tables need one that has conditional writes (If-None-Match)"},
    {"InvalidBucketName", ErrorKind::kConfigInvalid, "Correct the bucket's name"},
    {"KeyTooLongError", ErrorKind::kConfigInvalid, "Choose a shorter path"},
    {"QuotaExceeded", ErrorKind::kUnavailable, "The bucket is full; make room and load again"},
    {"XMinioStorageFull", ErrorKind::kUnavailable, "The server is full; make room and load again"},
    {"EntityTooLarge", ErrorKind::kDataInvalid, "The object is larger than the server takes"},
}};

// Without a document in the answer, as with HEAD, the status must do.
Meaning MeaningOfStatus(int status) {
  if (status == 404) return {"", ErrorKind::kNotFound, "There is no such object"};
  if (status == 401 || status == 403) {
    return {"", ErrorKind::kUnauthenticated, "The credentials do not allow that"};
  }
  if (status == 412) return {"", ErrorKind::kConflict, "The object is another one now"};
  if (status == 429) return {"", ErrorKind::kRateLimited, "Use fewer writers"};
  if (status == 501) return {"", ErrorKind::kUnsupported, "The server cannot do that"};
  if (status == 507) return {"", ErrorKind::kUnavailable, "The server is full"};
  if (status >= 500) return {"", ErrorKind::kUnavailable, "Try again later"};
  return {"", ErrorKind::kProtocol, "Is this the address of an S3 server?"};
}

Meaning MeaningOf(const S3Failure& failure, int status) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code == failure.code) return meaning;
  }
  return MeaningOfStatus(status);
}

/// Where the bucket is, if the answer says that it is elsewhere.
std::string OtherRegion(const HttpResponse& response, const S3Failure& failure) {
  const bool elsewhere = (response.status >= 301 && response.status <= 308) ||
                         failure.code == "AuthorizationHeaderMalformed" ||
                         failure.code == "IllegalLocationConstraintException";
  if (!elsewhere) return {};
  if (!failure.region.empty()) return failure.region;
  const std::string_view header = response.Header("x-amz-bucket-region");
  return header.empty() ? "another one" : std::string(header);
}

Status NoAnswer(const HttpResponse& response, ErrorInfo info, std::string_view what) {
  info.kind = ErrorKind::kUnavailable;
  info.retryable = response.may_pass;
  return MakeError(std::move(info), fmt::format("{}: {}", what, response.failure));
}

}  // namespace

bool IsPassingAnswer(const HttpResponse& response) {
  switch (response.status) {
    case 0:
      return response.may_pass;
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    case 400:
      return ParseS3Failure(response.body).code == "RequestTimeout";
    case 409: {
      const std::string code = ParseS3Failure(response.body).code;
      return code == "ConditionalRequestConflict" || code == "OperationAborted";
    }
    default:
      return false;
  }
}

bool MayBeDone(const HttpResponse& response) {
  if (response.status == 0) return response.sent;
  if (response.status == 503) return ParseS3Failure(response.body).code != "SlowDown";
  return response.status == 500 || response.status == 502 || response.status == 504;
}

bool HasExpiredToken(const HttpResponse& response) {
  if (response.status != 400 && response.status != 401 && response.status != 403) return false;
  const std::string code = ParseS3Failure(response.body).code;
  return code == "ExpiredToken" || code == "TokenRefreshRequired" || code == "InvalidToken";
}

Status S3Error(const HttpResponse& response, std::string_view operation, const S3Place& place) {
  ErrorInfo info{.operation = std::string(operation), .target = place.described};
  const std::string what = fmt::format("'{}': {}", place.described, operation);
  if (response.status == 0) return NoAnswer(response, std::move(info), what);
  const S3Failure failure = ParseS3Failure(response.body);
  info.native_code = failure.code.empty() ? std::to_string(response.status) : failure.code;
  if (const std::string region = OtherRegion(response, failure); !region.empty()) {
    info.kind = ErrorKind::kConfigInvalid;
    return MakeError(std::move(info),
                     fmt::format("{}: the bucket '{}' is in region {}, not {}; set the region "
                                 "(AWS_REGION)",
                                 what, place.bucket, region, place.region));
  }
  const Meaning meaning = MeaningOf(failure, response.status);
  info.kind = meaning.kind;
  info.retryable = IsPassingAnswer(response) || HasExpiredToken(response);
  return MakeError(std::move(info), fmt::format("{}: HTTP {}{}{}{}{}. {}", what, response.status,
                                                failure.code.empty() ? "" : " ", failure.code,
                                                failure.message.empty() ? "" : ", ",
                                                failure.message, meaning.advice));
}

}  // namespace amp::storage
