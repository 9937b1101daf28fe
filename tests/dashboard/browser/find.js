// Lists, searches, filters and sorts; looks at one instance; on a desk, in the dark, on a phone.

import assert from "node:assert/strict";
import { browse, fits, listed, picture, seen } from "./browse.js";

const id = (app, number) => `${app}-${number}.shop.internal:8080`;
const orders = [1, 2, 3, 4, 5, 6].map((number) => id("orders", number));
const PHONE = { width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

async function search(page, text) {
  await page.click("#search", { count: 3 });
  await page.keyboard.press("Backspace");
  await page.type("#search", text);
}

await browse(async (page) => {
  await seen(page, "#connection", "live");
  await seen(page, "#matched", "18 instances");
  await seen(page, "#nodes", "Leader");
  await seen(page, "#preservation", "not in force");
  await page.waitForFunction(() => document.querySelector(".tile path.line")?.getAttribute("d").length > 60);
  await picture(page, "light");

  await search(page, "ORDERS 10.20");
  await listed(page, orders);
  await page.click("#sort-instance");
  await page.click("#sort-instance");
  await listed(page, orders.toReversed());
  await search(page, "nowhere");
  await seen(page, "#nothing", "No instance is like that.");
  await search(page, " ");
  await page.select("#status", "DOWN");
  await listed(page, [id("inventory", 2)]);
  await page.select("#status", "");
  await page.select("#zone", "eu-west-1a");
  await page.click("#sort-application");
  await listed(page, [id("billing", 3), id("catalog", 3), id("orders", 3), id("orders", 6), id("payments", 3)]);
  await page.reload();
  await seen(page, "#matched", "5 of 18");
  await page.select("#zone", "");
  await page.click("#rows .plain");
  await listed(page, [1, 2, 3].map((number) => id("billing", number)));

  await page.click("#rows a");
  await seen(page, "#detail dd", "4.1.0");
  await seen(page, "#detail dd", "90 s without a renewal");
  await seen(page, "#detail .history", "registered");
  const link = await page.$eval("#detail a", (link) => [link.href, link.rel]);
  assert.deepEqual(link, [`http://${id("billing", 1)}/`, "noopener noreferrer"]);
  await picture(page, "detail");
  // Another is looked at before the browser tells that the first one was left.
  await page.evaluate(() => {
    document.querySelector("#detail").close();
    document.querySelectorAll("#rows a")[1].click();
  });
  await seen(page, "#detail h3", "Metadata");
  await seen(page, "#detail-title", id("billing", 2));
  await page.keyboard.press("Escape");
  await page.waitForSelector("#detail:not([open])");
});

await browse(
  async (page) => {
    await seen(page, "#matched", "18 instances");
    await seen(page, "#connection", "live");
    await fits(page);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(ground, "rgb(18, 23, 21)");
    await page.waitForFunction(() => document.querySelector(".tile path.line")?.getAttribute("d").length > 60);
    await picture(page, "phone");
    await page.tap("#rows a");
    await seen(page, "#detail dd", "4.1.0");
    await fits(page);
    await picture(page, "phone-detail");
  },
  { viewport: PHONE, dark: true },
);
