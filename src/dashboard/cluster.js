// The nodes, and what is not as it should be.

import { byId, element, say, webLink } from "./elements.js";
import { count, plural, span } from "./format.js";

let scheme = "http";
let known = null;
let shown = "";

/** The protocol at which the nodes' own dashboards are. */
export function setScheme(of) {
  scheme = of;
}

export function show(state) {
  known = state.cluster;
  const { cluster } = state;
  say(byId("cluster-summary"), summary(cluster));
  byId("nodes").replaceChildren(...Object.entries(cluster.nodes).map(([id, node]) => row(Number(id), node, cluster)));
  say(byId("preservation"), preservation(cluster.self_preservation));
  notify(troubles(state));
}

/** No event came for a while: what is shown is of the past. */
export function showLost() {
  notify([
    {
      kind: "bad",
      title: "Lost the connection to this node.",
      text: "What is shown here is out of date; it is tried again every few seconds.",
      links: known ? others(known) : [],
    },
  ]);
}

function summary(cluster) {
  const voters = plural(cluster.voters.length, "voter", "voters");
  const learners = cluster.learners.length > 0 ? `, ${plural(cluster.learners.length, "learner", "learners")}` : "";
  const leader = cluster.leader_id === null ? "no leader" : `node ${cluster.leader_id} leads`;
  return `${leader}, term ${cluster.term}, ${voters}${learners}, log index ${count(cluster.applied_index)}`;
}

function row(id, node, cluster) {
  const isHere = id === cluster.node_id;
  const name = element("td", { data: { label: "Node" } }, element("strong", {}, String(id)), " ", place(node));
  if (isHere) name.append(" ", element("span", { className: "tag" }, "this node"));
  const cells = [
    ["Role", role(id, cluster)],
    ["Log", log(id, node, cluster)],
    ["Answered", answered(id, node, cluster)],
    ["Peers reach it at", node.peer_addr],
  ];
  const made = element("tr", { data: { state: isSilent(node) ? "silent" : "" } }, name);
  made.append(...cells.map(([label, text]) => element("td", { data: { label } }, text)));
  return made;
}

const place = (node) => (node.http_addr ? dashboard(node.http_addr, node.http_addr) : "");

function dashboard(address, text) {
  const link = webLink(`${scheme}://${address}/`);
  link.textContent = text;
  link.removeAttribute("target");
  return link;
}

function role(id, cluster) {
  if (id === cluster.leader_id) return "Leader";
  if (cluster.learners.includes(id)) return "Learner";
  return id === cluster.node_id && cluster.role === "candidate" ? "Candidate" : "Follower";
}

/** To a node's own dashboard, by its id; nothing where that is not known. */
export function nodeLink(id) {
  const address = known?.nodes[id]?.http_addr;
  return address ? dashboard(address, `node ${id}`) : null;
}

const isSilent = (node) => node.answers === false;

function log(id, node, cluster) {
  if (id === cluster.node_id) return behind(cluster.committed_index - cluster.applied_index);
  if (node.matched_index === undefined) return cluster.leader_id === null ? "not known" : "known at the leader";
  if (node.matched_index === null) return "not known yet";
  return behind(cluster.last_log_index - node.matched_index);
}

const behind = (entries) => (entries > 0 ? `${plural(entries, "entry", "entries")} behind` : "in step");

function answered(id, node, cluster) {
  if (id === cluster.node_id) return cluster.leader_id === id ? "" : `leader heard ${ago(cluster.last_contact_ms)}`;
  if (node.answered_ms_ago === undefined) return "";
  if (node.answered_ms_ago === null) return "never";
  return isSilent(node) ? `silent for ${span(node.answered_ms_ago)}` : ago(node.answered_ms_ago);
}

const ago = (ms) => (ms < 1000 ? "just now" : `${span(ms)} ago`);

function preservation({ enabled, in_force: inForce, threshold_percent: percent }) {
  if (!enabled) return "Self-preservation is off: every lease that runs out ends.";
  if (inForce.length > 0) return "";
  return `Self-preservation is on and not in force: it would begin where ${percent}% of the leases fell silent together.`;
}

function troubles(state) {
  const { cluster } = state;
  const told = [];
  if (cluster.leader_id === null) {
    const text = "Writes are refused, no lease ends, and what is shown may be out of date, until a majority is back.";
    told.push({ kind: "bad", title: "No leader is known: there is no quorum, or an election is under way.", text, links: others(cluster) });
  } else if (state.not_ready) {
    told.push({ kind: "bad", title: "This node is not ready.", text: state.not_ready });
  }
  const silent = Object.entries(cluster.nodes).filter(([, node]) => isSilent(node));
  if (silent.length > 0) {
    const ids = silent.map(([id]) => id).join(", ");
    told.push({ kind: "warn", title: `${silent.length === 1 ? "Node" : "Nodes"} ${ids} ${silent.length === 1 ? "does" : "do"} not answer.`, text: "" });
  }
  for (const reason of cluster.failing) told.push({ kind: "bad", title: "Disk:", text: reason });
  for (const [id, index] of Object.entries(cluster.state_differs_at)) {
    told.push({ kind: "bad", title: "States differ:", text: `node ${id} has another state at log index ${index}.` });
  }
  for (const { url } of cluster.eureka_peers.filter((server) => server.reachable === false)) {
    told.push({ kind: "warn", title: `The Eureka server ${url} cannot be told of changes.`, text: "They wait, and are sent when it can." });
  }
  for (const scope of cluster.self_preservation.in_force) {
    const where = scope.application ? `for ${scope.application}` : "for the whole cluster";
    const text = `${scope.reason}. ${plural(scope.held, "lease is", "leases are")} kept beyond their time.`;
    told.push({ kind: "warn", title: `Self-preservation is in force ${where}:`, text });
  }
  return told;
}

function others(cluster) {
  const elsewhere = Object.entries(cluster.nodes).filter(([id]) => Number(id) !== cluster.node_id);
  return elsewhere.map(([id]) => nodeLink(id)).filter((link) => link !== null);
}

/** Only where something changed: what is written here is read aloud. */
function notify(told) {
  const signature = JSON.stringify(told.map(({ title, text }) => [title, text]));
  if (signature === shown) return;
  shown = signature;
  const notices = told.map(({ kind, title, text, links = [] }) => {
    const made = element("p", { className: `notice ${kind}` }, element("strong", {}, title), " ", text);
    if (links.length > 0) made.append(" Look at ", ...links.flatMap((link, place) => (place > 0 ? [", ", link] : [link])), ".");
    return made;
  });
  byId("notices").replaceChildren(...notices);
}
