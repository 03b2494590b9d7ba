// Configuration structs from text and typed values, URLs and the environment.

#include "amp/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "amp/amp_source.h"
#include "amp/testing/asserts.h"
#include "unit/arrays.h"

namespace amp {

enum class Shade { kLight, kDark };
constexpr std::array<std::string_view, 2> AmpEnumNames(Shade /*tag*/) { return {"light", "dark"}; }

namespace {

using namespace std::chrono_literals;
using unit::Fails;
using Strings = std::vector<std::string>;
using Texts = std::map<std::string, std::string>;

struct LampConfig {
  std::string url;
  std::string host;
  std::string user = "me";
  int port = 5432;
  int64_t wide = 7;
  bool bright = false;
  double ratio = 0.5;
  std::chrono::seconds timeout{30};
  std::chrono::milliseconds pause{250};
  ByteSize room{int64_t{64} << 20};
  Strings names;
  Texts columns;
  Shade shade = Shade::kDark;
  std::optional<int> limit;
  std::optional<Shade> other;
  std::string password;

  static constexpr auto Fields() {
    using C = LampConfig;
    return std::make_tuple(
        Field("url", &C::url, "All in one"), Field("host", &C::host, "Where it is").Required(),
        Field("user", &C::user, "Who asks").Alias("username").Alias("login"),
        Field("port", &C::port, "Its port").Between(1, 65535),
        Field("wide", &C::wide, "A wide number"), Field("bright", &C::bright, "Is it bright"),
        Field("ratio", &C::ratio, "A number"),
        Field("timeout", &C::timeout, "How long to wait").Between(1000, 3'600'000),
        Field("pause", &C::pause, "Time between"),
        Field("room", &C::room, "Most bytes").Between(1024, int64_t{1} << 40),
        Field("names", &C::names, "A list"), Field("columns", &C::columns, "Types of columns"),
        Field("shade", &C::shade, "A choice"), Field("limit", &C::limit, "Most rows"),
        Field("other", &C::other, "Another choice"),
        Field("password", &C::password, "Password").Secret());
  }
  Status Validate() const {
    return port == 666 ? MakeError(ErrorKind::kConfigInvalid, "not that port") : Status::OK();
  }
};

using Value = decltype(ConfigValue::value);

/// `host` and one more field.
Result<LampConfig> Parse(const std::string& name, Value value) {
  ConfigMap values{{"host", {.value = std::string("h")}}};
  values.insert_or_assign(name, ConfigValue{.value = std::move(value), .origin = "--set"});
  return ParseConfig<LampConfig>("lamp", values);
}
LampConfig Parsed(const std::string& name, Value value) {
  return Parse(name, std::move(value)).ValueOrDie();
}
auto Refused(const std::string& name, Value value, const Strings& parts) {
  return Fails(Parse(name, std::move(value)).status(), ErrorKind::kConfigInvalid, parts);
}
Value Text(std::string text) { return text; }

TEST(Config, Defaults) {
  const LampConfig config = Parsed("host", Text("h"));
  EXPECT_EQ(config.host, "h");
  EXPECT_EQ(config.user, "me");
  EXPECT_EQ(config.port, 5432);
  EXPECT_EQ(config.timeout, 30s);
  EXPECT_EQ(config.room, ByteSize{67'108'864});
  EXPECT_EQ(config.shade, Shade::kDark);
  EXPECT_EQ(config.limit, std::nullopt);
  EXPECT_TRUE(config.names.empty());
}

TEST(Config, TextValues) {
  EXPECT_EQ(Parsed("port", Text("65535")).port, 65'535);
  EXPECT_EQ(Parsed("wide", Text("-9223372036854775808")).wide, INT64_MIN);
  EXPECT_TRUE(Parsed("bright", Text("true")).bright);
  EXPECT_EQ(Parsed("ratio", Text("1e-3")).ratio, 0.001);
  EXPECT_EQ(Parsed("names", Text("a, b,,c ")).names, (Strings{"a", "b", "c"}));
  EXPECT_EQ(Parsed("shade", Text("light")).shade, Shade::kLight);
  EXPECT_EQ(Parsed("limit", Text("3")).limit, 3);
  EXPECT_EQ(Parsed("other", Text("dark")).other, Shade::kDark);
}

TEST(Config, TypedValues) {
  EXPECT_EQ(Parsed("port", int64_t{1}).port, 1);
  EXPECT_TRUE(Parsed("bright", true).bright);
  EXPECT_EQ(Parsed("ratio", 0.25).ratio, 0.25);
  EXPECT_EQ(Parsed("ratio", int64_t{2}).ratio, 2.0);
  EXPECT_EQ(Parsed("timeout", int64_t{5}).timeout, 5s);
  EXPECT_EQ(Parsed("room", int64_t{2048}).room, ByteSize{2048});
  EXPECT_EQ(Parsed("names", Strings{"a, b"}).names, (Strings{"a, b"}));
  EXPECT_EQ(Parsed("columns", Texts{{"a", "int"}}).columns, (Texts{{"a", "int"}}));
}

TEST(Config, DurationsAndSizes) {
  EXPECT_EQ(Parsed("pause", Text("250ms")).pause, 250ms);
  EXPECT_EQ(Parsed("pause", Text("1.5s")).pause, 1500ms);
  EXPECT_EQ(Parsed("pause", Text("5 m")).pause, 5min);
  EXPECT_EQ(Parsed("pause", Text("2h")).pause, 2h);
  EXPECT_EQ(Parsed("pause", Text("1d")).pause, 24h);
  EXPECT_EQ(Parsed("pause", Text("10")).pause, 10s);
  EXPECT_EQ(Parsed("timeout", Text("60000ms")).timeout, 1min);
  EXPECT_EQ(Parsed("room", Text("64KiB")).room, ByteSize{65'536});
  EXPECT_EQ(Parsed("room", Text("1.5GB")).room, ByteSize{1'500'000'000});
  EXPECT_EQ(Parsed("room", Text("2048")).room, ByteSize{2048});
  for (const char* wrong : {"-1s", "1 year", "s", "", "nan", "inf", "1e30s", "1s2"}) {
    EXPECT_TRUE(Refused("pause", Text(wrong), {"'pause'", "a duration such as 250ms", "--set"}))
        << wrong;
  }
  EXPECT_TRUE(Refused("room", Text("64 Mib"), {"a size such as 64MiB", "'64 Mib'"}));
  // A field of seconds does not drop what is below.
  EXPECT_TRUE(Refused("timeout", Text("1500ms"), {"'timeout'", "whole seconds"}));
}

TEST(Config, MapEntries) {
  const ConfigMap values{{"host", {.value = std::string("h")}},
                         {"columns.a", {.value = std::string("numeric")}},
                         {"columns.b.c", {.value = std::string("text")}}};
  EXPECT_EQ(ParseConfig<LampConfig>("lamp", values).ValueOrDie().columns,
            (Texts{{"a", "numeric"}, {"b.c", "text"}}));
  EXPECT_TRUE(Refused("columns", Text("a=b"), {"'columns'", "named values"}));
  EXPECT_TRUE(Refused("port.x", Text("1"), {"unknown option 'port.x'"}));
}

TEST(Config, UnknownFields) {
  EXPECT_TRUE(Refused("prot", Text("1"),
                      {"lamp: unknown option 'prot' from --set", "did you mean 'port'?"}));
  EXPECT_TRUE(Refused("something_else", Text("1"), {"there are: url, host, user"}));
}

TEST(Config, MissingFields) {
  const Strings parts{"lamp: required option 'host' is missing", "Where it is",
                      "--set host=", "AMPLOAD_LAMP_HOST"};
  EXPECT_TRUE(
      Fails(ParseConfig<LampConfig>("lamp", {}).status(), ErrorKind::kConfigInvalid, parts));
  const LampConfig by_hand;
  EXPECT_TRUE(Fails(CheckRequired("lamp", FieldsOf<LampConfig>(), &by_hand),
                    ErrorKind::kConfigInvalid, parts));
}

TEST(Config, WrongTypes) {
  EXPECT_TRUE(
      Refused("port", Text("many"), {"option 'port' from --set", "a whole number", "'many'"}));
  EXPECT_TRUE(Refused("port", Text("1.5"), {"a whole number"}));
  EXPECT_TRUE(Refused("port", Text("1 "), {"a whole number"}));
  EXPECT_TRUE(Refused("port", true, {"a whole number, not true"}));
  EXPECT_TRUE(Refused("wide", Text("9223372036854775808"), {"a whole number"}));
  EXPECT_TRUE(Refused("bright", Text("yes"), {"true or false, not 'yes'"}));
  EXPECT_TRUE(Refused("bright", int64_t{1}, {"true or false, not 1"}));
  EXPECT_TRUE(Refused("ratio", Text("half"), {"a number"}));
  EXPECT_TRUE(Refused("host", int64_t{1}, {"a string, not 1"}));
  EXPECT_TRUE(Refused("host", Strings{"a"}, {"a string, not a list"}));
  EXPECT_TRUE(Refused("names", true, {"a list such as a,b"}));
}

TEST(Config, RangesAndChoices) {
  EXPECT_TRUE(Refused("port", Text("65536"), {"between 1 and 65535, not 65536"}));
  EXPECT_TRUE(Refused("port", int64_t{0}, {"between 1 and 65535, not 0"}));
  EXPECT_TRUE(Refused("timeout", Text("2h"), {"between 1000 and 3600000"}));
  EXPECT_TRUE(Refused("room", Text("1023"), {"between 1024"}));
  EXPECT_TRUE(Refused("shade", Text("Dark"), {"one of light, dark, not 'Dark'"}));
  EXPECT_TRUE(Refused("shade", int64_t{0}, {"one of light, dark, not 0"}));
  EXPECT_TRUE(Refused("port", Text("666"), {"not that port"}));
}

TEST(Config, Aliases) {
  EXPECT_EQ(Parsed("username", Text("you")).user, "you");
  EXPECT_EQ(Parsed("login", Text("you")).user, "you");
  const ConfigMap twice{{"host", {.value = std::string("h")}},
                        {"login", {.value = std::string("a")}},
                        {"user", {.value = std::string("a")}}};
  EXPECT_TRUE(Fails(ParseConfig<LampConfig>("lamp", twice).status(), ErrorKind::kConfigInvalid,
                    {"'login' and 'user' are the same"}));
}

TEST(Config, Secrets) {
  setenv("AMPLOAD_UNIT_SECRET", "from env", 1);
  EXPECT_EQ(Parsed("password", Text("${AMPLOAD_UNIT_SECRET}")).password, "from env");
  EXPECT_EQ(Parsed("password", Text("plain")).password, "plain");
  // Only secrets lie elsewhere.
  EXPECT_EQ(Parsed("user", Text("${AMPLOAD_UNIT_SECRET}")).user, "${AMPLOAD_UNIT_SECRET}");
  unsetenv("AMPLOAD_UNIT_SECRET");
  EXPECT_TRUE(Refused("password", Text("${AMPLOAD_UNIT_SECRET}"),
                      {"'password'", "AMPLOAD_UNIT_SECRET", "not set"}));

  const auto path = std::filesystem::temp_directory_path() / "ampload_unit_secret";
  std::ofstream(path) << "from file\r\n";
  EXPECT_EQ(Parsed("password", Text("file:" + path.string())).password, "from file");
  std::filesystem::remove(path);
  EXPECT_TRUE(Refused("password", Text("file:" + path.string()), {"cannot be read"}));
}

TEST(Config, SecretsAsEntriesOfAMap) {
  setenv("AMPLOAD_UNIT_SECRET", "from env", 1);
  const ConfigMap values{{"headers.api-key", {.value = std::string("${AMPLOAD_UNIT_SECRET}")}},
                         {"headers.region", {.value = std::string("plain")}}};
  AMP_ASSERT_OK_AND_ASSIGN(const auto options, ParseConfig<AmpSourceOptions>("source", values));
  EXPECT_EQ(options.headers.at("api-key"), "from env");
  EXPECT_EQ(options.headers.at("region"), "plain");
  unsetenv("AMPLOAD_UNIT_SECRET");
  EXPECT_TRUE(Fails(ParseConfig<AmpSourceOptions>("source", values).status(),
                    ErrorKind::kConfigInvalid, {"AMPLOAD_UNIT_SECRET", "not set"}));
}

TEST(Config, SecretsAreNotShown) {
  const Status status = Parse("password", int64_t{12345}).status();
  EXPECT_EQ(status.message().find("12345"), std::string::npos) << status.message();
  const LampConfig defaults;
  LampConfig config;
  config.host = "h";
  config.password = "hush";
  config.timeout = 90s;
  config.url = "lamp://me:hush@h/db?token=hush";
  EXPECT_EQ(RedactedText(FieldsOf<LampConfig>(), &config, &defaults),
            "url=lamp://me:***@h/db?token=*** host=h timeout=90s password=***");
}

TEST(Config, EnvironmentVariables) {
  setenv("AMPLOAD_MY_LAMP_PORT", "99", 1);
  setenv("AMPLOAD_MY_LAMP_BRIGHT", "true", 1);
  const ConfigMap found = EnvironmentConfig("my-lamp", FieldsOf<LampConfig>());
  unsetenv("AMPLOAD_MY_LAMP_PORT");
  unsetenv("AMPLOAD_MY_LAMP_BRIGHT");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(std::get<std::string>(found.at("port").value), "99");
  EXPECT_EQ(found.at("port").origin, "environment variable AMPLOAD_MY_LAMP_PORT");
}

// What a field's text says is what setting it to that text makes.
TEST(Config, TextOfAFieldReadsBack) {
  LampConfig config;
  config.pause = 90'001ms;
  config.timeout = 120s;
  config.room = ByteSize{3 << 20};
  config.names = {"a", "b"};
  config.other = Shade::kLight;
  for (const FieldSpec& field : FieldsOf<LampConfig>()) {
    const std::string text = field.text(&config);
    if (text.empty()) continue;
    LampConfig copy;
    ASSERT_TRUE(field.set(field, &copy, {.value = text}).ok()) << field.name << " " << text;
    EXPECT_EQ(field.text(&copy), text);
  }
}

TEST(Config, JsonSchema) {
  const LampConfig defaults;
  const auto schema =
      nlohmann::json::parse(JsonSchemaOf("lamp", FieldsOf<LampConfig>(), &defaults));
  EXPECT_EQ(schema["title"], "lamp");
  EXPECT_EQ(schema["required"], nlohmann::json::array({"host"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto& fields = schema["properties"];
  EXPECT_EQ(fields.size(), 16U);
  EXPECT_EQ(fields["port"], nlohmann::json::parse(R"({"type": "integer", "description": "Its port",
                                "minimum": 1, "maximum": 65535, "default": 5432})"));
  EXPECT_EQ(fields["bright"]["default"], false);
  EXPECT_EQ(fields["ratio"]["default"], 0.5);
  EXPECT_EQ(fields["timeout"]["default"], "30s");
  EXPECT_EQ(fields["room"]["default"], "64MiB");
  EXPECT_EQ(fields["shade"]["enum"], nlohmann::json::array({"light", "dark"}));
  EXPECT_EQ(fields["names"]["items"]["type"], "string");
  EXPECT_EQ(fields["columns"]["type"], "object");
  EXPECT_EQ(fields["password"]["writeOnly"], true);
}

TEST(Config, NearestName) {
  EXPECT_EQ(NearestName("tabel", {"column", "table"}), "table");
  EXPECT_EQ(NearestName("x", {"column", "table"}), "");
}

}  // namespace
}  // namespace amp
