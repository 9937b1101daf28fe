// The list of instances: one page of it, as it is searched, filtered and sorted.

import { byId, element, say } from "./elements.js";
import { STATUSES, count, moment, plural, span, statusWord } from "./format.js";

const LIMIT = 50;
const TYPING_MS = 200;
const PATIENCE_MS = 10_000;
/** Renewal times are read anew so often, and a list that takes long no more often than every ten times as long. */
const RENEW_MS = 5000;
const REST = 10;

const COLUMNS = [
  ["application", "Application"],
  ["instance", "Instance"],
  ["status", "Status"],
  ["host", "Host"],
  ["zone", "Zone"],
  ["renewed", "Lease"],
  ["changed", "Changed"],
];

const START = { q: "", app: "", status: "", zone: "", sort: "application", order: "asc", offset: 0 };

let query = { ...START };
let rows = new Map();
let listed = null;
let clock = 0;
let asked = 0;
let answered = 0;
let answeredAt = 0;
let took = 0;
let typing = 0;
let open;
let changed;

/** `onOpen` is called with an instance to look at, `onChange` when another list is asked for. */
export function begin(initial, onOpen, onChange) {
  open = onOpen;
  changed = onChange;
  query = { ...START, ...initial, offset: Number(initial.offset ?? 0) || 0 };
  byId("search").value = query.q;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => ask({ q: event.target.value.trim(), offset: 0 }), TYPING_MS);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("status").addEventListener("change", (event) => ask({ status: event.target.value, offset: 0 }));
  byId("zone").addEventListener("change", (event) => ask({ zone: event.target.value, offset: 0 }));
  byId("application").addEventListener("click", () => ask({ app: "", offset: 0 }));
  byId("previous").addEventListener("click", () => ask({ offset: Math.max(0, query.offset - LIMIT) }));
  byId("next").addEventListener("click", () => ask({ offset: query.offset + LIMIT }));
  drawColumns();
  refresh();
}

/** What is asked for beside what is asked for at first. */
export function differing() {
  return Object.fromEntries(Object.entries(query).filter(([name, value]) => value !== START[name]));
}

/** A second has passed. */
export function tick(state) {
  clock = state.now_ms;
  for (const row of rows.values()) row.age();
  // A slow answer is waited for: to ask again would only make it slower.
  if (answered !== asked) return;
  const age = performance.now() - answeredAt;
  const isStale = listed?.view_index !== state.view_index || age > RENEW_MS;
  if (isStale && age > took * REST) refresh();
}

function ask(part) {
  query = { ...query, ...part };
  drawColumns();
  changed();
  refresh();
}

export async function refresh() {
  const mine = ++asked;
  const begun = performance.now();
  const sent = { ...differing(), limit: LIMIT };
  try {
    const answer = await fetch(`/api/instances?${parameters(sent)}`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (mine !== asked || !answer.ok) return;
    const received = await answer.json();
    if (mine !== asked) return;
    show(received);
  } catch {
    // The stream of events tells that the node is gone.
  } finally {
    answered = Math.max(answered, mine);
    answeredAt = performance.now();
    took = answeredAt - begun;
  }
}

function parameters(sent) {
  const pairs = Object.entries(sent);
  // Those without a zone are not to be chosen: nothing is no zone.
  return new URLSearchParams(pairs.filter(([, value]) => value !== ""));
}

function show(received) {
  if (received.instances.length === 0 && received.offset > 0) {
    ask({ offset: 0 });
    return;
  }
  listed = received;
  clock = Math.max(clock, received.now_ms);
  drawFilters();
  drawRows();
  drawPager();
}

function drawColumns() {
  const heads = COLUMNS.map(([sort, title]) => {
    const isSorted = query.sort === sort;
    const isDescending = query.order === "desc";
    const head = element("th", { scope: "col" });
    if (isSorted) head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    const arrow = element("span", { className: "arrow", "aria-hidden": "true" }, isSorted ? (isDescending ? "▼" : "▲") : "");
    const button = element("button", { type: "button", id: `sort-${sort}` }, title, arrow);
    button.addEventListener("click", () => ask({ sort, order: isSorted && !isDescending ? "desc" : "asc", offset: 0 }));
    head.append(button);
    return head;
  });
  const focused = document.activeElement?.id ?? "";
  byId("columns").replaceChildren(...heads);
  if (focused.startsWith("sort-")) byId(focused).focus();
}

function drawFilters() {
  const statuses = STATUSES.map((status) => [status, `${statusWord(status)} (${count(listed.statuses[status])})`]);
  options(byId("status"), query.status, [["", "any"], ...statuses]);
  const zones = listed.zones.map(([zone, number]) => [zone, `${shortened(zone)} (${count(number)})`]);
  const isListed = query.zone === "" || listed.zones.some(([zone]) => zone === query.zone);
  options(byId("zone"), query.zone, [["", "any"], ...zones, ...(isListed ? [] : [[query.zone, shortened(query.zone)]])]);
  const chip = byId("application");
  chip.hidden = query.app === "";
  say(chip, `${shortened(query.app)} ×`);
  chip.setAttribute("aria-label", `Show all applications, not ${query.app} alone`);
  const isAll = listed.matched === listed.total;
  const total = plural(listed.total, "instance", "instances");
  say(byId("matched"), isAll ? total : `${count(listed.matched)} of ${total}`);
}

const shortened = (text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

function options(select, value, wanted) {
  const signature = JSON.stringify(wanted);
  // An open list of choices must not be drawn anew under the pointer.
  if (select.dataset.signature !== signature && document.activeElement !== select) {
    select.dataset.signature = signature;
    select.replaceChildren(...wanted.map(([of, text]) => element("option", { value: of }, text)));
  }
  select.value = value;
}

function drawRows() {
  const keys = listed.instances.map((instance) => JSON.stringify([instance.app, instance.id]));
  const isSame = keys.length === rows.size && [...rows.keys()].every((key, place) => key === keys[place]);
  const former = rows;
  rows = new Map(keys.map((key) => [key, former.get(key) ?? new Row()]));
  listed.instances.forEach((instance, place) => {
    const before = listed.instances[place - 1];
    rows.get(keys[place]).show(instance, before?.app !== instance.app);
  });
  if (!isSame) {
    const focused = document.activeElement;
    byId("rows").replaceChildren(...[...rows.values()].map((row) => row.element));
    // What was focused lost that by being moved.
    if (focused?.isConnected && byId("rows").contains(focused)) focused.focus();
  }
  drawNothing();
}

function drawNothing() {
  const isEmpty = listed.instances.length === 0;
  const nothing = byId("nothing");
  nothing.hidden = !isEmpty;
  if (!isEmpty) return;
  if (listed.total > 0) {
    nothing.replaceChildren(element("p", {}, "No instance is like that."));
    return;
  }
  const body = '{"instance":{"instanceId":"demo-1","app":"DEMO","hostName":"localhost","ipAddr":"127.0.0.1","status":"UP","dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}}}';
  const line = `curl -i -X POST ${location.origin}/eureka/apps/DEMO -H 'Content-Type: application/json' -d '${body}'`;
  const setting = `eureka.client.service-url.defaultZone=${location.origin}/eureka/`;
  nothing.replaceChildren(
    element("p", {}, "No instance is registered. Register one:"),
    element("pre", { tabIndex: 0 }, line),
    element("p", {}, "or point a Spring Cloud application here:"),
    element("pre", { tabIndex: 0 }, setting),
  );
}

function drawPager() {
  const { offset, matched, instances } = listed;
  byId("pager").hidden = matched <= LIMIT;
  byId("previous").disabled = offset === 0;
  byId("next").disabled = offset + instances.length >= matched;
  say(byId("place"), `${count(offset + 1)}–${count(offset + instances.length)} of ${count(matched)}`);
}

/** A row stays the same element as long as its instance is listed, so that it keeps the focus. */
class Row {
  #cells = Object.fromEntries(COLUMNS.map(([name, label]) => [name, element("td", { className: name, data: { label } })]));
  #application = element("button", { type: "button", className: "plain" });
  #number = element("span", { className: "note" });
  #link = element("a", {});
  #status = element("span", { className: "status" });
  #forced = element("span", { className: "tag" }, "override");
  #host = element("span", {});
  #port = element("span", { className: "note" });
  #zone = element("span", {});
  #age = element("span", {});
  #bar = element("span", { className: "bar" });
  #instance = null;

  constructor() {
    const cells = this.#cells;
    cells.application.append(this.#application, " ", this.#number);
    cells.instance.append(this.#link);
    cells.status.append(this.#status, " ", this.#forced);
    cells.host.append(this.#host, this.#port);
    cells.zone.append(this.#zone);
    cells.renewed.append(this.#age, element("span", { className: "meter", "aria-hidden": "true" }, this.#bar));
    this.#application.addEventListener("click", () => ask({ app: this.#instance.app, offset: 0 }));
    this.#link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(this.#instance);
    });
    this.element = element("tr", {}, ...Object.values(cells));
  }

  show(instance, isFirst) {
    this.#instance = instance;
    const application = listed.applications[instance.app];
    say(this.#application, instance.app);
    say(this.#number, isFirst && application ? `${count(application.up)}/${count(application.instances)} up` : "");
    this.#cells.application.dataset.again = isFirst ? "" : "again";
    say(this.#link, instance.id);
    this.#link.href = `#${new URLSearchParams({ instance: JSON.stringify([instance.app, instance.id]) })}`;
    say(this.#status, statusWord(instance.status));
    this.#status.dataset.status = instance.status;
    this.#forced.hidden = instance.overridden === null;
    say(this.#host, instance.host);
    const port = instance.port ?? instance.secure_port;
    say(this.#port, port === null ? "" : `:${port}`);
    say(this.#zone, instance.zone ?? "–");
    this.age();
  }

  age() {
    const { renewed_ms: renewed, duration_ms: duration, updated_ms: updated } = this.#instance;
    const age = Math.max(0, clock - renewed);
    say(this.#age, age > duration ? `${span(age)}, overdue` : `${span(age)} of ${span(duration)}`);
    this.#bar.style.inlineSize = `${Math.min(100, (age / Math.max(1, duration)) * 100)}%`;
    this.#cells.renewed.dataset.lease = age > duration ? "overdue" : age * 3 > duration * 2 ? "late" : "";
    say(this.#cells.changed, `${span(clock - updated)} ago`);
    this.#cells.changed.title = moment(updated);
  }
}
