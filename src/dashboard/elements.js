// Elements, made without any text ever being read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties, and children that are elements or texts. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "data") Object.assign(made.dataset, value);
    else if (key.startsWith("aria") || key === "role" || key === "scope") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

export function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Sets a text only where it is another: what did not change is not read aloud again. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * A link to where a registrant says something is, if that is an address of the web; else its text. Nobody asks that
 * address for anything before a person follows the link.
 */
export function webLink(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return element("span", { className: "value" }, text);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return element("span", { className: "value" }, text);
  }
  return element("a", { className: "value", href: url.href, rel: "noopener noreferrer", target: "_blank" }, text);
}
