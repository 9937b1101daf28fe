// The tiles above: how many instances are how, and rates of the last two minutes.

import { byId, element, say, svg } from "./elements.js";
import { STATUSES, count, plural, rate, statusWord } from "./format.js";

const POINTS = 120;
const WIDTH = 240;
const HEIGHT = 40;

const PLOTS = [
  { name: "renewals", title: "Renewals", unit: "/s" },
  { name: "registrations", title: "Registrations", unit: "/s" },
  { name: "reads", title: "Reads, this node", unit: "/s" },
  { name: "expirations", title: "Expirations", unit: "/s", isTrouble: true },
  { name: "commit_ms", title: "Commit, mean", unit: " ms" },
];

let series = [];
const drawn = new Map();
let instances;

export function begin(rates) {
  series = rates.slice(-POINTS);
  draw();
}

export function add(rates) {
  series.push(rates);
  series = series.slice(-POINTS);
  draw();
}

/** How many instances have which status. */
export function showInstances(state) {
  build();
  say(instances.number, count(state.instances));
  say(instances.note, `in ${plural(state.applications, "application", "applications")}`);
  const shares = STATUSES.filter((status) => state.statuses[status] > 0);
  const label = shares.map((status) => `${count(state.statuses[status])} ${statusWord(status).toLowerCase()}`).join(", ");
  instances.bar.setAttribute("aria-label", label);
  instances.bar.title = label;
  instances.bar.replaceChildren(
    ...shares.map((status) => {
      const part = element("span", { data: { status } });
      part.style.flexGrow = state.statuses[status];
      return part;
    }),
  );
}

function build() {
  if (drawn.size > 0) return;
  const number = element("span", { className: "number" });
  const note = element("span", { className: "note" });
  const bar = element("div", { className: "shares", role: "img" });
  instances = { number, note, bar };
  const tile = (title, value, plot) =>
    element("div", { className: "tile" }, element("h3", {}, title), element("p", { className: "figure" }, ...value), plot);
  const tiles = PLOTS.map(({ name, title, unit, isTrouble }) => {
    const line = svg("path", { class: "line" });
    const area = svg("path", { class: "area" });
    const attributes = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" };
    const plot = svg("svg", attributes, area, line);
    if (isTrouble) plot.classList.add("trouble");
    const number = element("span", { className: "number" }, "–");
    const peak = element("span", { className: "note" });
    drawn.set(name, { line, area, plot, number, peak });
    return tile(title, [number, element("span", { className: "unit" }, unit), peak], plot);
  });
  byId("tiles").replaceChildren(tile("Instances", [number, note], bar), ...tiles);
}

function draw() {
  build();
  for (const { name, title, unit } of PLOTS) {
    const values = series.map((rates) => rates[name]);
    const known = values.filter((value) => value !== null);
    const { line, area, plot, number, peak } = drawn.get(name);
    const last = known.at(-1);
    const most = Math.max(0, ...known);
    say(number, last === undefined ? "–" : rate(last));
    say(peak, most > 0 ? `peak ${rate(most)}` : "");
    const path = curve(values, most);
    line.setAttribute("d", path.line);
    area.setAttribute("d", path.area);
    plot.setAttribute("aria-label", `${title}: ${rate(last ?? 0)}${unit}, at most ${rate(most)}${unit} in two minutes`);
  }
}

/** From left to right in time, the newest at the right edge; over what is not known it goes on level. */
function curve(values, most) {
  if (values.length < 2) return { line: "", area: "" };
  const step = WIDTH / (POINTS - 1);
  const left = WIDTH - step * (values.length - 1);
  let level = 0;
  const points = values.map((value, place) => {
    level = value ?? level;
    const y = HEIGHT - 2 - (most > 0 ? (level / most) * (HEIGHT - 6) : 0);
    return `${(left + place * step).toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${WIDTH} ${HEIGHT}L${left.toFixed(1)} ${HEIGHT}Z` };
}
