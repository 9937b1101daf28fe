// Everything that registrants say is looked at; none of it may run, be fetched, or be a link that is not of the web.

import assert from "node:assert/strict";
import { browse, fits, picture, seen } from "./browse.js";

await browse(async (page) => {
  await seen(page, "#matched", "5 instances");
  await fits(page);
  await picture(page, "hostile");
  const ids = await page.$$eval("#rows a", (links) => links.map((link) => link.textContent));
  assert.equal(ids.length, 5);
  assert.ok(ids.some((id) => id.startsWith("<script>")), `${ids}`);
  for (const id of ids) {
    // A browser can put ".." into no path: the dots are taken for a step up.
    if (id === "..") continue;
    await page.evaluate((id) => [...document.querySelectorAll("#rows a")].find((link) => link.textContent === id).click(), id);
    await seen(page, "#detail h3", "Metadata");
    await seen(page, "#detail dd", "file:///etc/passwd");
    assert.equal(await page.$eval("#detail-title", (title) => title.textContent), id);
    const links = await page.$$eval("#detail a", (links) => links.map((link) => [link.protocol, link.rel]));
    assert.ok(links.length >= 1 && links.length <= 2, `${links}`);
    for (const link of links) assert.match(link.join(" "), /^https?: noopener noreferrer$/);
    await fits(page);
    await page.keyboard.press("Escape");
    await page.waitForSelector("#detail:not([open])");
  }
  const found = await page.evaluate(() => [window.ran ?? null, document.querySelectorAll("main script, img, iframe, dialog svg").length]);
  assert.deepEqual(found, [null, 0]);
});
