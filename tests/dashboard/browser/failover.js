// A follower's page while the leader is killed, then the last other node, then the node itself.

import assert from "node:assert/strict";
import { browse, given, picture, seen } from "./browse.js";

const follower = given.nodes[given.follower];
const leader = given.nodes[given.leader];
const third = given.nodes.find((node) => node !== follower && node !== leader);
const kill = (node) => process.kill(node.pid, "SIGKILL");

await browse(
  async (page) => {
    await seen(page, "#cluster-summary", `node ${leader.id} leads`);
    kill(leader);
    await page.waitForFunction(
      (ids) => ids.some((id) => document.querySelector("#cluster-summary").textContent.startsWith(`node ${id} leads`)),
      {},
      [follower.id, third.id],
    );
    await seen(page, "#matched", "18 instances");

    kill(third);
    await seen(page, "#notices", "there is no quorum");
    await seen(page, "#matched", "18 instances");
    await picture(page, "no-quorum");

    kill(follower);
    await seen(page, "#connection", "connection lost");
    const links = await page.$$eval("#notices a", (links) => links.map((link) => link.href));
    assert.deepEqual(links, [leader, third].sort((one, other) => one.id - other.id).map((node) => node.url));
    await picture(page, "lost");
  },
  // What the browser itself says of a node that is gone.
  { url: follower.url, expected: ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"] },
);
