import { browse, fits, picture, seen } from "./browse.js";

await browse(async (page) => {
  await seen(page, "#nothing", "curl -i -X POST");
  await seen(page, "#nothing", "eureka.client.service-url.defaultZone=");
  await fits(page);
  await picture(page, "empty");
});
