#include "sources/simulated/tickets.h"

#include <nlohmann/json.hpp>

namespace amp {
namespace {

using nlohmann::json;

Status Invalid(std::string message) {
  return MakeError(ErrorKind::kConfigInvalid, std::move(message));
}

}  // namespace

Result<std::vector<ResumePoint>> ParseResume(std::string_view text) {
  try {
    std::vector<ResumePoint> points;
    const json header = json::parse(text);
    for (const auto& [network, point] : header.items()) {
      points.push_back({.network = network,
                        .number = point.at("number").get<uint64_t>(),
                        .hash = point.at("hash").get<std::string>()});
    }
    return points;
  } catch (const json::exception&) {
    return Invalid(R"(amp-resume is no JSON of the form {"<network>":{"number":N,"hash":"0x…"}})");
  }
}

std::string MakeTicket(const SimulatedRequest& request) {
  const SimulatedQuery& query = request.query;
  json resume = json::object();
  for (const ResumePoint& point : request.resume) {
    resume[point.network] = {{"number", point.number}, {"hash", point.hash}};
  }
  json ticket{{"table", static_cast<int>(query.table)},
              {"with_network", query.with_network},
              {"networks", query.networks},
              {"columns", query.columns},
              {"first", query.first_block},
              {"last", query.last_block},
              {"stream", request.stream},
              {"resume", resume.dump()},
              {"tick", request.tick}};
  if (query.limit) ticket["limit"] = *query.limit;
  return ticket.dump();
}

Result<SimulatedRequest> ReadTicket(std::string_view text) {
  try {
    const json ticket = json::parse(text);
    SimulatedRequest request;
    SimulatedQuery& query = request.query;
    const int table = ticket.at("table").get<int>();
    if (table < 0 || table > 2) return Invalid("the ticket is not one of this server's");
    query.table = static_cast<SimulatedTable>(table);
    query.with_network = ticket.at("with_network").get<bool>();
    query.networks = ticket.at("networks").get<std::vector<std::string>>();
    query.columns = ticket.at("columns").get<std::vector<std::string>>();
    query.first_block = ticket.at("first").get<uint64_t>();
    query.last_block = ticket.at("last").get<uint64_t>();
    if (ticket.contains("limit")) query.limit = ticket.at("limit").get<int64_t>();
    request.stream = ticket.at("stream").get<bool>();
    request.tick = ticket.at("tick").get<uint64_t>();
    ARROW_ASSIGN_OR_RAISE(request.resume, ParseResume(ticket.at("resume").get<std::string>()));
    return request;
  } catch (const json::exception&) {
    return Invalid("the ticket is not one of this server's");
  }
}

}  // namespace amp
