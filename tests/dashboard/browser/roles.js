// Who may read sees all there is and no button; what such a person sends nevertheless is refused.

import assert from "node:assert/strict";
import { browse, given, seen } from "./browse.js";

const as = (username) => ({ credentials: { username, password: given.password }, expected: ["status of 403"] });

await browse(async (page) => {
  await seen(page, "#viewer", "reader, may read");
  await seen(page, "#matched", "1 instance");
  await page.click("#rows a");
  await seen(page, "#detail dd", "host.local");
  assert.equal(await page.$(".actions button"), null);
  const status = await page.evaluate(async () => {
    const answer = await fetch("/eureka/apps/ROLES/i-1/status?value=OUT_OF_SERVICE", { method: "PUT" });
    return answer.status;
  });
  assert.equal(status, 403);
}, as("reader"));

await browse(async (page) => {
  await seen(page, "#viewer", "writer");
  await page.waitForSelector("#rows a");
  await page.click("#rows a");
  await seen(page, ".actions button", "Take out of service");
}, as("writer"));
