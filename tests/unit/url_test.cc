// Target URLs: what they set, and what of them may be shown.

#include "amp/config.h"
#include "unit/arrays.h"

namespace amp {
namespace {

using unit::Fails;
using Texts = std::map<std::string, std::string>;

Texts Parts(std::string_view url, std::string_view path_field = "database") {
  Texts parts;
  for (const auto& [name, value] : ParseUrl(url, path_field).ValueOrDie()) {
    parts[name] = std::get<std::string>(value.value);
    EXPECT_EQ(value.origin, "the target URL");
  }
  return parts;
}

TEST(ParseUrl, AllParts) {
  EXPECT_EQ(Parts("postgresql://me:pw@db.example:5433/prod?schema=s&timeout=10s"),
            (Texts{{"user", "me"},
                   {"password", "pw"},
                   {"host", "db.example"},
                   {"port", "5433"},
                   {"database", "prod"},
                   {"schema", "s"},
                   {"timeout", "10s"}}));
}

TEST(ParseUrl, FewParts) {
  EXPECT_EQ(Parts("postgresql://host"), (Texts{{"host", "host"}}));
  EXPECT_EQ(Parts("postgresql://me@host/"), (Texts{{"user", "me"}, {"host", "host"}}));
  EXPECT_EQ(Parts("postgresql:///db"), (Texts{{"database", "db"}}));
  EXPECT_EQ(Parts("redis://:pw@host/0"),
            (Texts{{"password", "pw"}, {"host", "host"}, {"database", "0"}}));
  EXPECT_EQ(Parts("adbc:?driver=x"), (Texts{{"driver", "x"}}));
}

TEST(ParseUrl, PercentEncoding) {
  EXPECT_EQ(Parts("postgresql://m%40e:p%3Aw%2f%25@h/d%20b?name=a%26b%3Dc"),
            (Texts{{"user", "m@e"},
                   {"password", "p:w/%"},
                   {"host", "h"},
                   {"database", "d b"},
                   {"name", "a&b=c"}}));
  // '+' is itself: this is no HTML form.
  EXPECT_EQ(Parts("postgresql://h/a+b"), (Texts{{"host", "h"}, {"database", "a+b"}}));
  for (const char* url : {"postgresql://h/100%", "postgresql://h/%4", "postgresql://h/%zz"}) {
    EXPECT_TRUE(Fails(ParseUrl(url, "database").status(), ErrorKind::kConfigInvalid,
                      {url, "write '%' as %25"}));
  }
}

TEST(ParseUrl, PasswordWithAnAt) {
  EXPECT_EQ(Parts("postgresql://me:p@w@h/db"),
            (Texts{{"user", "me"}, {"password", "p@w"}, {"host", "h"}, {"database", "db"}}));
}

TEST(ParseUrl, Ipv6Hosts) {
  EXPECT_EQ(Parts("postgresql://me@[::1]:5433/db"),
            (Texts{{"user", "me"}, {"host", "::1"}, {"port", "5433"}, {"database", "db"}}));
  EXPECT_EQ(Parts("postgresql://[fe80::1]"), (Texts{{"host", "fe80::1"}}));
  EXPECT_TRUE(Fails(ParseUrl("postgresql://[::1/db", "database").status(),
                    ErrorKind::kConfigInvalid, {"'[' has no ']'"}));
  EXPECT_TRUE(Fails(ParseUrl("postgresql://[::1]5433/db", "database").status(),
                    ErrorKind::kConfigInvalid, {"may follow ']'"}));
}

TEST(ParseUrl, ParametersGoFirst) {
  EXPECT_EQ(Parts("postgresql:///db?host=%2Frun%2Fpostgresql&user=me"),
            (Texts{{"host", "/run/postgresql"}, {"database", "db"}, {"user", "me"}}));
  EXPECT_EQ(Parts("lmdb:x?a=1&&b=2", "path"), (Texts{{"path", "x"}, {"a", "1"}, {"b", "2"}}));
  EXPECT_TRUE(Fails(ParseUrl("lmdb:x?sync", "path").status(), ErrorKind::kConfigInvalid,
                    {"parameter 'sync' has no value; write sync="}));
}

TEST(ParseUrl, Paths) {
  EXPECT_EQ(Parts("lmdb:relative/dir", "path"), (Texts{{"path", "relative/dir"}}));
  EXPECT_EQ(Parts("lmdb:/abs/dir", "path"), (Texts{{"path", "/abs/dir"}}));
  EXPECT_EQ(Parts("lmdb:///abs/dir", "path"), (Texts{{"path", "/abs/dir"}}));
  EXPECT_EQ(Parts("lmdb://relative/dir", "path"), (Texts{{"path", "relative/dir"}}));
  // No host and no login in a path.
  EXPECT_EQ(Parts("lmdb:a@b:c?map_size=1GiB", "path"),
            (Texts{{"path", "a@b:c"}, {"map_size", "1GiB"}}));
  EXPECT_EQ(Parts("lmdb:", "path"), Texts{});
}

TEST(RedactUrl, PasswordsAndTokens) {
  EXPECT_EQ(RedactUrl("postgresql://me:pw@h:5432/db"), "postgresql://me:***@h:5432/db");
  EXPECT_EQ(RedactUrl("redis://:pw@h"), "redis://:***@h");
  EXPECT_EQ(RedactUrl("postgresql://me@h:5432/db"), "postgresql://me@h:5432/db");
  EXPECT_EQ(RedactUrl("postgresql://h:5432/db"), "postgresql://h:5432/db");
  EXPECT_EQ(RedactUrl("lmdb:a/b"), "lmdb:a/b");
  EXPECT_EQ(RedactUrl("x://h/d?password=pw&a=1&auth_token=t&b=2"),
            "x://h/d?password=***&a=1&auth_token=***&b=2");
  EXPECT_EQ(RedactUrl("x://h/d?a=1&client_secret=s"), "x://h/d?a=1&client_secret=***");
}

TEST(RedactUrl, PasswordsThatShouldHaveBeenEncoded) {
  for (const char* password : {"p@w", "p/w", "p?w", "p:w", "p/w@x", "?p/w&x=1"}) {
    const std::string shown = RedactUrl(std::string("postgresql://me:") + password + "@h/db");
    EXPECT_EQ(shown, "postgresql://me:***@h/db") << password;
  }
}

TEST(RedactUrl, ErrorsShowNoPassword) {
  const Status status = ParseUrl("postgresql://me:hush@h/100%", "database").status();
  EXPECT_TRUE(Fails(status, ErrorKind::kConfigInvalid, {"postgresql://me:***@h/100%"}));
  EXPECT_EQ(status.message().find("hush"), std::string::npos);
}

struct SiteConfig {
  std::string url, host, user, password, database;
  int port = 1;
  static constexpr auto Fields() {
    using C = SiteConfig;
    return std::make_tuple(Field("url", &C::url, "URL"), Field("host", &C::host, "Host"),
                           Field("user", &C::user, "User"),
                           Field("password", &C::password, "Password").Secret(),
                           Field("database", &C::database, "Database"),
                           Field("port", &C::port, "Port").Between(1, 65'535));
  }
};

TEST(ExpandUrl, FieldsGoBeforeTheUrl) {
  SiteConfig config;
  config.url = "x://me:pw@h:5/db";
  config.user = "you";
  const SiteConfig expanded = ExpandUrl("site", config, "database").ValueOrDie();
  EXPECT_EQ(expanded.user, "you");
  EXPECT_EQ(expanded.password, "pw");
  EXPECT_EQ(expanded.host, "h");
  EXPECT_EQ(expanded.port, 5);
  EXPECT_EQ(expanded.database, "db");
  EXPECT_EQ(expanded.url, "");
  config.url = "x://h:70000";
  EXPECT_TRUE(Fails(ExpandUrl("site", config, "database").status(), ErrorKind::kConfigInvalid,
                    {"option 'port' from the target URL", "between 1 and 65535"}));
}

}  // namespace
}  // namespace amp
