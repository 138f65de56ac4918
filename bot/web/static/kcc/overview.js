/** The shift, fetched again every ten seconds. */

import * as clock from "./clock.js";
import { part } from "./http.js";
import { replace } from "./parts.js";

const EVERY = 10_000;

async function look() {
  const offline = document.getElementById("offline");
  try {
    const holder = document.createElement("div");
    holder.append(await part("/kcc/parts/overview"));
    replace(document.getElementById("shift"), holder);
    if (offline.textContent) offline.textContent = "";
  } catch (error) {
    offline.textContent = error.message;
  }
}

clock.start();
setInterval(look, EVERY);
