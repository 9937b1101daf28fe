// Eureka servers at the leader, of which one is away and then refuses everything; at a follower; on a phone, in the dark.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { browse, fits, given, picture, seen } from "./browse.js";

const leader = given.nodes[given.leader];
const follower = given.nodes[given.follower];
const PHONE = { width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const rows = (page) =>
  page.$$eval("#eureka-servers-rows tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));

/** Has an answer for each item of a batch, and takes none. */
const refuser = createServer(async (request, answer) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const { replicationList: items } = JSON.parse(Buffer.concat(pieces));
  answer.setHeader("Content-Type", "application/json");
  answer.end(JSON.stringify({ responseList: items.map(() => ({ statusCode: 500 })) }));
});

async function keptBy(page, words) {
  await seen(page, "#rows a", "kept-1");
  await page.evaluate(() => [...document.querySelectorAll("#rows a")].find((link) => link.textContent === "kept-1").click());
  await seen(page, "#detail dd", words);
  await page.keyboard.press("Escape");
}

try {
  await browse(
    async (page) => {
      await seen(page, "#eureka-servers-rows tr[data-state='away']", "unreachable");
      await seen(page, "#notices", `The Eureka server ${given.refuser.url} cannot be told of changes.`);
      await seen(page, "#eureka-servers-rows tr", "reachable0");
      const [told, away] = await rows(page);
      assert.deepEqual(told, [given.server.url, "reachable", "0", "0 s", "none"]);
      assert.deepEqual([away[0], away[2]], [given.refuser.url, "2"]);
      assert.match(away[4], /^\d+ s ago: .*refused/);
      assert.equal(await page.$("#eureka-servers a"), null);
      await picture(page, "eureka-servers");
      await keptBy(page, "its client, here");

      await new Promise((ready) => refuser.listen(given.refuser.port, "127.0.0.1", ready));
      await seen(page, "#eureka-servers-rows td", "KEPT(<img src=http://127.0.0.1:1/x onerror=window.ran=1>): 500");
      assert.equal(await page.$("#eureka-servers tr[data-state='away']"), null);
      assert.deepEqual(await page.evaluate(() => [window.ran ?? null, document.querySelectorAll("img").length]), [null, 0]);
    },
    { url: leader.url },
  );

  await browse(
    async (page) => {
      const words = `Told by the leader, node ${leader.id}, which shows how they are: ${given.server.url}, ${given.refuser.url}`;
      await seen(page, "#eureka-servers-told", words);
      assert.deepEqual(await page.$$eval("#eureka-servers a", (links) => links.map((link) => link.href)), [leader.url]);
      assert.equal(await page.$eval("#eureka-servers-scroll", (table) => table.hidden), true);
      await fits(page);
    },
    { url: follower.url },
  );

  await browse(
    async (page) => {
      await seen(page, "#eureka-servers-rows td", "onerror");
      await fits(page);
      await page.$eval("#eureka-servers", (part) => part.scrollIntoView());
      await picture(page, "phone-eureka-servers");
    },
    { url: leader.url, viewport: PHONE, dark: true },
  );

  await browse(
    async (page) => {
      await keptBy(page, "another Eureka server, where its client renews it");
      assert.equal(await page.$eval("#eureka-servers", (part) => part.hidden), true);
    },
    { url: given.server.page },
  );
} finally {
  refuser.close();
  refuser.closeAllConnections();
}
