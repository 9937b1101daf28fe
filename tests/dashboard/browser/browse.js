// A page in Chromium that is watched: it may ask nobody else for anything, break no policy and raise no error.

import assert from "node:assert/strict";
import puppeteer from "puppeteer-core";

export const given = JSON.parse(process.env.GIVEN);

const DESKTOP = { width: 1280, height: 900 };
const PATIENCE_MS = 20_000;

/** Opens a page and gives it to `work`; then nothing may have gone wrong that nobody expected. */
export async function browse(work, { url = given.url, viewport = DESKTOP, dark = false, credentials, expected = [] } = {}) {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const wrong = await watched(page, new URL(url).origin);
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
    if (credentials) await page.authenticate(credentials);
    await page.goto(url, { waitUntil: "domcontentloaded" });
    await work(page, browser);
    assert.deepEqual(wrong.filter((what) => !expected.some((part) => what.includes(part))), []);
  } finally {
    await browser.close();
  }
}

async function watched(page, origin) {
  const wrong = [];
  await page.exposeFunction("tellViolation", (what) => wrong.push(`policy: ${what}`));
  await page.evaluateOnNewDocument(() => {
    const tell = ({ violatedDirective, blockedURI }) => window.tellViolation(`${violatedDirective} ${blockedURI}`);
    document.addEventListener("securitypolicyviolation", tell);
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("console", (message) => message.type() === "error" && wrong.push(`console: ${message.text()}`));
  page.on("dialog", (dialog) => wrong.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => new URL(request.url()).origin !== origin && wrong.push(`request: ${request.url()}`));
  return wrong;
}

/** Waits until a text is somewhere in an element. */
export async function seen(page, selector, text) {
  const has = (selector, text) => [...document.querySelectorAll(selector)].some((found) => found.textContent.includes(text));
  try {
    await page.waitForFunction(has, {}, selector, text);
  } catch {
    const there = await page.$$eval(selector, (found) => found.map((one) => one.textContent));
    assert.fail(`no ${JSON.stringify(text)} in ${selector}: ${JSON.stringify(there)}`);
  }
}

/** Waits until the rows are of just these instances, in this order. */
export async function listed(page, ids) {
  const is = (ids) => JSON.stringify([...document.querySelectorAll("#rows a")].map((link) => link.textContent)) === ids;
  try {
    await page.waitForFunction(is, {}, JSON.stringify(ids));
  } catch {
    assert.deepEqual(await page.$$eval("#rows a", (links) => links.map((link) => link.textContent)), ids);
  }
}

export const picture = (page, name) => page.screenshot({ path: `${process.env.PICTURES}/${name}.png` });

/** No part of the page may be wider than the screen. */
export async function fits(page) {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(wide <= screen, `${wide} px on a screen of ${screen}`);
}
