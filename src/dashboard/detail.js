// Everything of one instance.

import { byId, element, say, webLink } from "./elements.js";
import { moment, span, statusWord } from "./format.js";
import { ask, isNameable } from "./override.js";

const RENEW_MS = 5000;

/** Whose renewals a lease lives by. */
const KEEPERS = {
  client: "its client, here",
  eureka_server: "another Eureka server, where its client renews it",
  import: "an import, until its client comes",
};

let key = null;
let viewer = { may_write: false };
let shown = null;
let viewIndex = -1;
let askedAt = 0;
let lease = null;
let onClose;
let onWrite;

export function begin(closed, written) {
  onClose = closed;
  onWrite = written;
  byId("detail").addEventListener("close", () => {
    // It is told a little later: another instance may be looked at by then.
    if (byId("detail").open) return;
    key = null;
    onClose();
  });
  // Beside the sheet is the page: who presses there wants to go back to it.
  byId("detail").addEventListener("click", (event) => event.target === byId("detail") && byId("detail").close());
}

export function setViewer(of) {
  viewer = of;
  if (shown) draw();
}

export function open(app, id) {
  key = [app, id];
  shown = null;
  byId("detail").replaceChildren(head(), element("p", { className: "quiet" }, "Loading…"));
  if (!byId("detail").open) byId("detail").showModal();
  load();
}

export const current = () => key;

export function tick(state) {
  if (key === null) return;
  if (shown) showLease(state.now_ms);
  if (state.view_index !== viewIndex || performance.now() - askedAt > RENEW_MS) {
    viewIndex = state.view_index;
    load();
  }
}

async function load() {
  askedAt = performance.now();
  const [app, id] = key;
  try {
    const answer = await fetch(`/api/instances/${encodeURIComponent(app)}/${encodeURIComponent(id)}`);
    const received = answer.ok || answer.status === 404 ? await answer.json() : null;
    if (key?.[0] !== app || key?.[1] !== id || received === null) return;
    const isSame = JSON.stringify(timeless(received)) === JSON.stringify(timeless(shown));
    shown = received;
    if (isSame) showLease(received.now_ms);
    else draw();
  } catch {
    // The stream of events tells that the node is gone.
  }
}

/** What is not drawn anew as long as only time passes. */
function timeless(received) {
  if (received?.lease === undefined) return received;
  return { ...received, now_ms: 0, document: null, lease: { ...received.lease, renewed_ms: 0 } };
}

function head() {
  const close = element("button", { type: "button", className: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => byId("detail").close());
  const title = element("h2", { id: "detail-title" }, key[1]);
  return element("header", {}, element("div", {}, element("p", { className: "quiet" }, key[0]), title), close);
}

function draw() {
  const sheet = byId("detail");
  const focused = sheet.contains(document.activeElement) ? document.activeElement.dataset.action : undefined;
  const isOpen = sheet.querySelector("details")?.open ?? false;
  sheet.replaceChildren(head(), ...(shown.lease ? body() : gone()));
  if (isOpen && sheet.querySelector("details")) sheet.querySelector("details").open = true;
  const again = focused && sheet.querySelector(`[data-action="${focused}"]`);
  (again || sheet.querySelector(".actions button") || sheet.querySelector(".close")).focus();
  if (shown.lease) showLease(shown.now_ms);
}

function gone() {
  const text = "This instance is not registered: it was cancelled, its lease ended, or it never was.";
  return [element("p", { className: "notice warn" }, text), ...history()];
}

function body() {
  const status = element("span", { className: "status", data: { status: shown.status } }, statusWord(shown.status));
  const forced = shown.overridden === null ? "" : element("span", { className: "tag" }, `override: ${statusWord(shown.overridden)}`);
  lease = { text: element("dd", {}), bar: element("span", { className: "bar" }), meter: null };
  lease.meter = element("span", { className: "meter", "aria-hidden": "true" }, lease.bar);
  return [
    element("p", { className: "standing" }, status, " ", forced),
    actions(),
    section("Lease", pairs(leasePairs())),
    section("Instance", pairs(shown.facts.map(([name, text]) => [name, text]))),
    shown.links.length > 0 ? section("Links", pairs(shown.links.map(([name, text]) => [name, webLink(text)]))) : null,
    shown.metadata.length > 0 ? section("Metadata", pairs(shown.metadata)) : null,
    ...history(),
    raw(),
  ].filter((part) => part !== null);
}

function actions() {
  const made = element("p", { className: "actions" });
  const [app, id] = key;
  if (!viewer.may_write || !isNameable(app, id)) return made;
  const button = (kind, text) => {
    const action = element("button", { type: "button", data: { action: kind } }, text);
    action.addEventListener("click", () => ask(kind, app, id, () => { load(); onWrite(); }));
    return action;
  };
  if (shown.status !== "OUT_OF_SERVICE") made.append(button("out", "Take out of service…"));
  if (shown.overridden !== null) made.append(button("back", "Put back…"));
  return made;
}

function leasePairs() {
  const { keeper, duration_ms: duration, renewal_interval_ms: interval, registered_ms: registered, up_since_ms: up } = shown.lease;
  return [
    ["Renewed", lease.text],
    ["Kept by", KEEPERS[keeper] ?? "nobody any more"],
    ["Ends after", `${span(duration)} without a renewal; one is due every ${span(interval)}`],
    ["Registered", moment(registered)],
    ["Up since", up === null ? "never" : moment(up)],
    ["Changed", moment(shown.updated_ms)],
  ];
}

function showLease(now) {
  if (!shown?.lease || lease === null) return;
  const age = Math.max(0, now - shown.lease.renewed_ms);
  const isOverdue = age > shown.lease.duration_ms;
  if (!lease.text.contains(lease.meter)) lease.text.replaceChildren(element("span", {}), lease.meter);
  say(lease.text.firstChild, `${span(age)} ago${isOverdue ? ", overdue" : ""}`);
  lease.text.dataset.lease = isOverdue ? "overdue" : "";
  lease.bar.style.inlineSize = `${Math.min(100, (age / Math.max(1, shown.lease.duration_ms)) * 100)}%`;
}

const section = (title, content) => element("section", {}, element("h3", {}, title), content);

function pairs(of) {
  const made = element("dl", {});
  for (const [name, value] of of) {
    const isElement = value instanceof HTMLElement;
    const shownValue = isElement && value.tagName === "DD" ? value : element("dd", {}, value);
    made.append(element("dt", {}, name), shownValue);
  }
  return made;
}

function history() {
  const { events, since_ms: since } = shown.history;
  const lines = events.map((event) =>
    element("li", {}, element("time", { dateTime: new Date(event.at_ms).toISOString() }, moment(event.at_ms)), " ", words(event)),
  );
  if (shown.lease && shown.lease.registered_ms >= since && !events.some((event) => event.what === "registered_again")) {
    lines.push(element("li", {}, element("time", {}, moment(shown.lease.registered_ms)), " registered"));
  }
  const known = since > 0 ? `This node knows of changes since ${moment(since)}.` : "This node knows of every change.";
  const list = lines.length > 0 ? element("ol", { className: "history" }, ...lines) : "";
  return [section("Last changes", element("div", {}, list, element("p", { className: "quiet" }, known)))];
}

function words(event) {
  if (event.what === "expired") return "its lease ended";
  if (event.what === "cancelled") return "cancelled";
  const said = event.what === "registered_again" ? ["registered again"] : [];
  const [before, after] = event.status;
  if (before !== after) said.push(`${statusWord(before)} → ${statusWord(after)}`);
  const [forced, now] = event.overridden;
  if (forced !== now) said.push(now === null ? "override removed" : `override ${statusWord(now)}`);
  if (event.is_another_document) said.push("another document");
  return said.length > 0 ? said.join(", ") : "written again";
}

function raw() {
  const text = JSON.stringify(shown.document, null, 2);
  return element("details", {}, element("summary", {}, "Document"), element("pre", { tabIndex: 0 }, text));
}
