// A page of another site sends what browsers let it send without asking first.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { browse, given } from "./browse.js";

const target = new URL("/eureka/apps/FOREIGN", given.url);
const document = JSON.stringify({
  instance: {
    instanceId: "i-1", hostName: "h", app: "FOREIGN", ipAddr: "10.0.0.1", status: "UP",
    dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
  },
});
const site = createServer((_, answer) => {
  answer.setHeader("Content-Type", "text/html");
  answer.end("<!doctype html><link rel=icon href=data:,><title>elsewhere</title>");
});
await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
try {
  await browse(
    async (page) => {
      const refused = page.waitForResponse((answer) => answer.url() === target.href);
      // With a type that needs no leave of the other site.
      await page.evaluate((url, body) => {
        fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body: new Blob([body], { type: "text/plain" }) });
      }, target.href, document);
      assert.equal((await refused).status(), 403);
    },
    { url: `http://localhost:${site.address().port}/`, expected: ["request: ", "status of 403"] },
  );
} finally {
  site.close();
}
