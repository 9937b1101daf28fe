// Wires the parts of the page to what the node tells, and to the address, so that a view can be passed on.

import * as cluster from "./cluster.js";
import * as detail from "./detail.js";
import { byId, say } from "./elements.js";
import * as eurekaServers from "./eureka_servers.js";
import * as list from "./list.js";
import * as override from "./override.js";
import * as plots from "./plots.js";
import { Stream } from "./stream.js";

function connection(state, text) {
  const shown = byId("connection");
  shown.dataset.state = state;
  say(shown, text);
}

function hear(name, told) {
  if (name === "hello") {
    greet(told);
    plots.begin(told.series);
  } else {
    plots.add(told.rates);
  }
  const { state } = told;
  connection("live", "live");
  document.title = `${state.cluster.leader_id === null ? "No quorum – " : ""}rs-registry, node ${state.cluster.node_id}`;
  say(byId("node-name"), `node ${state.cluster.node_id}`);
  say(byId("about"), `rs-registry ${state.cluster.version}`);
  plots.showInstances(state);
  cluster.show(state);
  eurekaServers.show(state);
  list.tick(state);
  detail.tick(state);
}

function greet({ cluster_name: name, scheme, viewer }) {
  say(byId("cluster-name"), name);
  say(byId("viewer"), viewer.name === null ? "" : `${viewer.name}${viewer.may_write ? "" : ", may read"}`);
  cluster.setScheme(scheme);
  detail.setViewer(viewer);
}

function lose() {
  connection("lost", "connection lost");
  cluster.showLost();
}

/** The address has what is asked for and whom one looks at. */
function note() {
  const noted = new URLSearchParams(list.differing());
  const instance = detail.current();
  if (instance) noted.set("instance", JSON.stringify(instance));
  history.replaceState(null, "", noted.size > 0 ? `#${noted}` : location.pathname);
}

function noted() {
  const { instance, ...query } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  let key = null;
  try {
    key = JSON.parse(instance ?? "null");
  } catch {
    // Somebody typed it: then nobody is looked at.
  }
  return { query, key: Array.isArray(key) ? key.map(String) : null };
}

function look(app, id) {
  detail.open(app, id);
  note();
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, dialog");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId("search").focus();
  }
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("instances").focus();
});

const { query, key } = noted();
override.begin();
detail.begin(note, list.refresh);
list.begin(query, ({ app, id }) => look(app, id), note);
if (key) look(...key);
new Stream(hear, lose);
