// Keeps the page current. Where the hub is away it says so and goes on asking: a plain reload would
// leave the browser's error page, which never comes back by itself.
"use strict";
const everyMs = 2000;

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = document.querySelector("main");
    // Somebody who has the keyboard in the page or has marked text is not interrupted.
    if (!main.contains(document.activeElement) && getSelection().isCollapsed) {
      main.replaceWith(fresh.querySelector("main"));
    }
    document.body.classList.remove("away");
  } catch {
    document.body.classList.add("away");
  }
  setTimeout(refresh, everyMs);
}

setTimeout(refresh, everyMs);
