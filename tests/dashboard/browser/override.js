// By the keyboard alone: from the top of the page to an instance, out of service, and back.

import assert from "node:assert/strict";
import { browse, listed, picture, seen } from "./browse.js";

const focused = (page) => page.evaluate(() => document.activeElement.textContent);

async function tabTo(page, text) {
  for (let steps = 0; steps < 60; steps += 1) {
    if ((await focused(page)) === text) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the tabulator never comes to ${text}; it is at ${await focused(page)}`);
}

await browse(async (page) => {
  await seen(page, "#matched", "18 instances");
  await page.keyboard.press("/");
  await page.keyboard.type("orders-2");
  await listed(page, ["orders-2.shop.internal:8080"]);
  await tabTo(page, "orders-2.shop.internal:8080");
  await page.keyboard.press("Enter");
  await seen(page, "#detail .actions", "Take out of service");

  await tabTo(page, "Take out of service…");
  await page.keyboard.press("Enter");
  await seen(page, "#confirm-text", "orders-2.shop.internal:8080 of ORDERS");
  assert.equal(await focused(page), "Cancel");
  await page.keyboard.press("Escape");
  await page.waitForSelector("#confirm:not([open])");
  assert.equal(await focused(page), "Take out of service…");

  await page.keyboard.press("Enter");
  await picture(page, "confirm");
  await tabTo(page, "Take out of service");
  await page.keyboard.press("Enter");
  await seen(page, "#detail .standing", "override: Out of service");
  await seen(page, "#detail .history", "Up → Out of service, override Out of service");
  await seen(page, "#rows .status", "Out of service");
  await picture(page, "out-of-service");

  await tabTo(page, "Put back…");
  await page.keyboard.press("Enter");
  await tabTo(page, "Put back");
  await page.keyboard.press("Enter");
  await seen(page, "#detail .history", "Out of service → Up, override removed");
  await seen(page, "#detail .actions", "Take out of service");
  await page.keyboard.press("Escape");
  await seen(page, "#rows .status", "Up");
});
