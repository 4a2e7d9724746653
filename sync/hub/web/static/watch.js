// The part of the page that changes is fetched anew every ten seconds; nothing is replaced under somebody's hands.
"use strict";
const EVERY_MS = 10000;
async function renew() {
  const live = document.getElementById("live");
  if (document.hidden || !live || live.contains(document.activeElement) || String(document.getSelection())) return;
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" }, signal: AbortSignal.timeout(EVERY_MS) });
    if (answer.redirected) { location.reload(); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    document.body.classList.toggle("stale", !fresh);
    if (fresh) live.replaceWith(fresh);
  } catch {
    document.body.classList.add("stale"); // the hub's page is away: what stands here is old
  }
}
setInterval(renew, EVERY_MS);
