#include "sources/simulated/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace amp {
namespace {

enum class Kind { kWord, kQuoted, kNumber, kSign, kEnd };

struct Token {
  Kind kind = Kind::kEnd;
  std::string text;  ///< of a word also in capitals below
  std::string capitals;
};

Status NotUnderstood(std::string_view expected, const Token& found) {
  return MakeError(
      ErrorKind::kConfigInvalid,
      fmt::format(
          "SQL: expected {}, not {}; the simulator answers SELECT columns FROM "
          "[network.]table [WHERE _block_num >= N AND …] [LIMIT n] [SETTINGS stream = true]",
          expected, found.kind == Kind::kEnd ? "the end" : fmt::format("'{}'", found.text)));
}

bool IsWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::string Capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  Result<Token> Next() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    if (at_ == text_.size()) return Token{};
    const char c = text_[at_];
    if (c == '"') return Quoted();
    if (IsDigit(c)) return Token{Kind::kNumber, Take(IsDigit), ""};
    if (IsWord(c)) {
      std::string word = Take(IsWord);
      std::string capitals = Capitals(word);
      return Token{Kind::kWord, std::move(word), std::move(capitals)};
    }
    for (const std::string_view sign : {"<=", ">="}) {
      if (text_.substr(at_).starts_with(sign)) return Sign(sign.size());
    }
    return Sign(1);
  }

 private:
  std::string Take(bool (*accept)(char)) {
    const size_t start = at_;
    while (at_ < text_.size() && accept(text_[at_])) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  Token Sign(size_t size) {
    at_ += size;
    return Token{Kind::kSign, std::string(text_.substr(at_ - size, size)), ""};
  }
  // A quote inside is written twice.
  Result<Token> Quoted() {
    std::string content;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          return Token{Kind::kQuoted, std::move(content), ""};
        }
        ++at_;
      }
      content.push_back(text_[at_]);
    }
    return MakeError(ErrorKind::kConfigInvalid, "SQL: a double quote is not closed");
  }

  std::string_view text_;
  size_t at_ = 0;
};

class Parser {
 public:
  Parser(std::string_view sql, const std::vector<std::string>& networks)
      : tokens_(sql), networks_(networks) {}

  Result<SimulatedQuery> Parse() {
    ARROW_RETURN_NOT_OK(Advance());
    ARROW_RETURN_NOT_OK(Need("SELECT"));
    ARROW_RETURN_NOT_OK(Columns());
    ARROW_RETURN_NOT_OK(Need("FROM"));
    ARROW_RETURN_NOT_OK(Table());
    ARROW_ASSIGN_OR_RAISE(const bool where, Accept("WHERE"));
    if (where) ARROW_RETURN_NOT_OK(Conditions());
    ARROW_ASSIGN_OR_RAISE(const bool limit, Accept("LIMIT"));
    if (limit) ARROW_RETURN_NOT_OK(Limit());
    ARROW_ASSIGN_OR_RAISE(const bool settings, Accept("SETTINGS"));
    if (settings) ARROW_RETURN_NOT_OK(Settings());
    ARROW_RETURN_NOT_OK(End());
    return std::move(query_);
  }

 private:
  Status Advance() { return tokens_.Next().Value(&now_); }
  bool IsSign(std::string_view sign) const { return now_.kind == Kind::kSign && now_.text == sign; }

  // SQL that the simulator does not know is told from text that is no SQL.
  Status Unexpected(std::string_view expected) const {
    constexpr std::array<std::string_view, 10> kOther{
        "ORDER", "GROUP", "JOIN", "HAVING", "INNER", "LEFT", "UNION", "WITH", "OFFSET", "DISTINCT"};
    if (now_.kind == Kind::kWord &&
        std::find(kOther.begin(), kOther.end(), now_.capitals) != kOther.end()) {
      return MakeError(ErrorKind::kUnsupported,
                       fmt::format("SQL: {} is not streamable, and the simulator does not know it; "
                                   "leave it out",
                                   now_.capitals));
    }
    return NotUnderstood(expected, now_);
  }

  Result<bool> Accept(std::string_view keyword) {
    if (now_.kind != Kind::kWord || now_.capitals != keyword) return false;
    ARROW_RETURN_NOT_OK(Advance());
    return true;
  }
  Status Need(std::string_view keyword) {
    ARROW_ASSIGN_OR_RAISE(const bool there, Accept(keyword));
    return there ? Status::OK() : Unexpected(keyword);
  }
  Status NeedSign(std::string_view sign) {
    if (!IsSign(sign)) return Unexpected(fmt::format("'{}'", sign));
    return Advance();
  }

  Result<std::string> Name(std::string_view what) {
    const bool keyword =
        now_.kind == Kind::kWord && (now_.capitals == "FROM" || now_.capitals == "DISTINCT");
    if ((now_.kind != Kind::kWord && now_.kind != Kind::kQuoted) || keyword) {
      return Unexpected(what);
    }
    std::string name = now_.text;
    ARROW_RETURN_NOT_OK(Advance());
    return name;
  }

  Result<uint64_t> Number() {
    if (now_.kind != Kind::kNumber) return Unexpected("a number");
    uint64_t number = 0;
    const char* const last = now_.text.data() + now_.text.size();
    if (std::from_chars(now_.text.data(), last, number).ec != std::errc()) {
      return Unexpected("a number of at most 64 bits");
    }
    ARROW_RETURN_NOT_OK(Advance());
    return number;
  }

  Status Columns() {
    if (IsSign("*")) return Advance();
    while (true) {
      ARROW_ASSIGN_OR_RAISE(std::string name, Name("a column or *"));
      query_.columns.push_back(std::move(name));
      if (!IsSign(",")) return Status::OK();
      ARROW_RETURN_NOT_OK(Advance());
    }
  }

  Status Table() {
    ARROW_ASSIGN_OR_RAISE(std::string name, Name("a table"));
    std::optional<std::string> network;
    if (IsSign(".")) {
      ARROW_RETURN_NOT_OK(Advance());
      network = std::move(name);
      ARROW_ASSIGN_OR_RAISE(name, Name("a table"));
    } else if (const size_t dot = name.rfind('.'); dot != std::string::npos) {
      network = name.substr(0, dot);
      name.erase(0, dot + 1);
    }
    return Resolve(network, name);
  }

  Status Resolve(const std::optional<std::string>& network, const std::string& name) {
    const bool all = !network && name.starts_with("all_");
    const std::string table = all ? name.substr(4) : name;
    const bool known = table == "blocks" || table == "transactions" || table == "logs";
    const bool has_network =
        !network || std::find(networks_.begin(), networks_.end(), *network) != networks_.end();
    if (!known || !has_network) {
      return MakeError(
          ErrorKind::kNotFound,
          fmt::format("there is no table '{}{}{}'; there are blocks, transactions and logs of the "
                      "networks {}, and all_blocks, all_transactions and all_logs",
                      network.value_or(""), network ? "." : "", name, fmt::join(networks_, ", ")));
    }
    query_.table = table == "blocks"         ? SimulatedTable::kBlocks
                   : table == "transactions" ? SimulatedTable::kTransactions
                                             : SimulatedTable::kLogs;
    query_.with_network = all;
    query_.networks = all ? networks_ : std::vector{network.value_or(networks_.front())};
    return Status::OK();
  }

  Status Conditions() {
    do {
      ARROW_RETURN_NOT_OK(Condition());
      ARROW_ASSIGN_OR_RAISE(const bool more, Accept("AND"));
      if (!more) return Status::OK();
    } while (true);
  }

  Status Condition() {
    const Token column = now_;
    ARROW_ASSIGN_OR_RAISE(const std::string name, Name("a condition"));
    if (name != "_block_num" && name != "block_num") {
      return NotUnderstood("a condition on _block_num", column);
    }
    const Token sign = now_;
    if (sign.kind != Kind::kSign) return Unexpected("=, <, <=, > or >=");
    ARROW_RETURN_NOT_OK(Advance());
    ARROW_ASSIGN_OR_RAISE(const uint64_t number, Number());
    return Narrow(sign, number);
  }

  Status Narrow(const Token& sign, uint64_t number) {
    uint64_t first = 0;
    uint64_t last = std::numeric_limits<uint64_t>::max();
    if (sign.text == "=") {
      first = last = number;
    } else if (sign.text == ">=") {
      first = number;
    } else if (sign.text == "<=") {
      last = number;
    } else if (sign.text == ">" && number < last) {
      first = number + 1;
    } else if (sign.text == "<" && number > 0) {
      last = number - 1;
    } else {
      return NotUnderstood("=, <, <=, > or >= of a number that can be", sign);
    }
    query_.first_block = std::max(query_.first_block, first);
    query_.last_block = std::min(query_.last_block, last);
    return Status::OK();
  }

  Status Limit() {
    ARROW_ASSIGN_OR_RAISE(const uint64_t rows, Number());
    query_.limit = static_cast<int64_t>(std::min<uint64_t>(rows, 1ULL << 62));
    return Status::OK();
  }

  Status Settings() {
    ARROW_RETURN_NOT_OK(Need("STREAM"));
    ARROW_RETURN_NOT_OK(NeedSign("="));
    ARROW_ASSIGN_OR_RAISE(query_.stream, Accept("TRUE"));
    return query_.stream ? Status::OK() : Need("FALSE");
  }

  Status End() {
    if (IsSign(";")) ARROW_RETURN_NOT_OK(Advance());
    return now_.kind == Kind::kEnd ? Status::OK() : Unexpected("the end");
  }

  Tokenizer tokens_;
  const std::vector<std::string>& networks_;
  Token now_;
  SimulatedQuery query_;
};

}  // namespace

Result<SimulatedQuery> ParseSimulatedQuery(std::string_view sql,
                                           const std::vector<std::string>& networks) {
  ARROW_ASSIGN_OR_RAISE(SimulatedQuery query, Parser(sql, networks).Parse());
  if (query.stream) ARROW_RETURN_NOT_OK(CheckStreamable(query));
  return query;
}

Status CheckStreamable(const SimulatedQuery& query) {
  if (query.limit) {
    return MakeError(ErrorKind::kUnsupported, "SQL: LIMIT is not streamable; leave it out");
  }
  if (query.first_block > query.last_block) {
    return MakeError(ErrorKind::kUnsupported, "SQL: the conditions leave no block to stream");
  }
  return Status::OK();
}

}  // namespace amp
