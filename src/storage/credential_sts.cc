// Web identity: a token that the cluster keeps in a file is exchanged at STS for credentials
// (AssumeRoleWithWebIdentity of the AWS Security Token Service API, version 2011-06-15).

#include <fmt/format.h>

#include <pugixml.hpp>

#include "core/text.h"
#include "storage/credential_sources.h"

namespace amp::storage {
namespace {

std::string Endpoint(const CredentialSearch& search) {
  std::string given = search.environment("AWS_ENDPOINT_URL_STS");
  if (given.empty()) return fmt::format("https://sts.{}.amazonaws.com/", search.region);
  if (!given.ends_with('/')) given += '/';
  return given;
}

Result<AwsCredentials> ParseAnswer(const std::string& service, const std::string& body) {
  pugi::xml_document document;
  const bool parsed = document.load_buffer(body.data(), body.size());
  const pugi::xml_node found = document.child("AssumeRoleWithWebIdentityResponse")
                                   .child("AssumeRoleWithWebIdentityResult")
                                   .child("Credentials");
  AwsCredentials credentials{.access_key_id = found.child_value("AccessKeyId"),
                             .secret_access_key = found.child_value("SecretAccessKey"),
                             .session_token = found.child_value("SessionToken"),
                             .expires = ParseExpiry(found.child_value("Expiration")),
                             .origin = "the web identity"};
  if (parsed && !credentials.access_key_id.empty() && !credentials.secret_access_key.empty()) {
    return credentials;
  }
  return MakeError({.kind = ErrorKind::kProtocol, .target = service},
                   fmt::format("{}: its answer has no credentials", service));
}

}  // namespace

FoundCredentials CredentialsOfWebIdentity(const CredentialSearch& search) {
  const std::string file = search.environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  const std::string role = search.environment("AWS_ROLE_ARN");
  if (file.empty() || role.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(std::string token, ReadTextFile(file));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  const std::string session = search.environment("AWS_ROLE_SESSION_NAME");
  const std::string body = fmt::format(
      "Action=AssumeRoleWithWebIdentity&RoleArn={}&RoleSessionName={}&Version=2011-06-15&"
      "WebIdentityToken={}",
      UrlEncode(role), UrlEncode(session.empty() ? "ampload" : session), UrlEncode(token));
  const std::string url = Endpoint(search);
  const HttpResponse response =
      search.http->Send({.method = "POST",
                         .url = url,
                         .headers = {"content-type: application/x-www-form-urlencoded"},
                         .body = body});
  const std::string service = "STS at " + url;
  if (response.status != 200) return CredentialError(service, response);
  return ParseAnswer(service, response.body);
}

}  // namespace amp::storage
