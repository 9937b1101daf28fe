// The Eureka servers that this cluster replicates to: how they are, or who knows that.

import { nodeLink } from "./cluster.js";
import { byId, element } from "./elements.js";
import { count, span } from "./format.js";

let shown = "";

export function show({ cluster }) {
  const { eureka_peers: servers } = cluster;
  const isTold = servers.some((server) => server.told_from_here);
  byId("eureka-servers").hidden = servers.length === 0;
  byId("eureka-servers-scroll").hidden = !isTold;
  if (isTold) byId("eureka-servers-rows").replaceChildren(...servers.map(row));
  tell(isTold ? [] : whoTells(servers, cluster));
}

function row(server) {
  const cells = [
    ["State", state(server)],
    ["To tell", count(server.queue)],
    ["Behind", span(server.lag_ms)],
    ["Last error", lastError(server)],
  ];
  const made = element("tr", { data: { state: isAway(server) ? "away" : "" } });
  made.append(element("td", { data: { label: "URL" } }, element("strong", {}, server.url)));
  made.append(...cells.map(([label, text]) => element("td", { data: { label } }, text)));
  return made;
}

const isAway = (server) => server.reachable === false;

function state(server) {
  if (!server.told_from_here) return "not told from here";
  if (server.reachable === null) return "nothing told yet";
  return server.reachable ? "reachable" : "unreachable";
}

function lastError(server) {
  if (server.last_error === null) return "none";
  return `${span(server.last_error_age_ms)} ago: ${server.last_error}`;
}

/** What is said instead of a table, in parts. */
function whoTells(servers, cluster) {
  const names = servers.map((server) => server.url).join(", ");
  if (cluster.leader_id === null) return ["Told nothing until there is a leader: ", names];
  const leader = nodeLink(cluster.leader_id) ?? `node ${cluster.leader_id}`;
  return ["Told by the leader, ", leader, ", which shows how they are: ", names];
}

/** Only where something changed: a link that has the focus stays. */
function tell(parts) {
  const signature = JSON.stringify(parts.map((part) => part.href ?? part));
  if (signature === shown) return;
  shown = signature;
  byId("eureka-servers-told").replaceChildren(...parts);
}
