// Whether this screen may look at the gate and act at it, and the one way to act.

/** A gate that does not answer within this is not there; it looks at orders and PINs for less long. */
const PATIENCE_MS = 8000;

let standing = { own: false, has_pin: false, may_look: false, act: null, wait_s: 0 };

/** What the gate last said of this screen. */
export const stands = () => standing;

/** Asks the gate for something; fails where it does not answer in time. */
export const get = (path) => fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });

/** Asks the gate anew. */
export async function ask() {
  const answer = await get("/session");
  if (answer.ok) standing = await answer.json();
  return standing;
}

const send = (path, headers, body) =>
  fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS) });

/** Sends an act as JSON. A screen that was locked meanwhile is told by the status 401. */
export async function post(path, body) {
  const headers = { "content-type": "application/json", "x-menshen-act": standing.act ?? "locked" };
  const answer = await send(path, headers, body);
  if (answer.status === 401 || answer.status === 403) await ask();
  return answer;
}

/** Tries a PIN: "open", "wrong", "wait" or "failed". */
export async function unlock(pin) {
  const answer = await send("/session", { "content-type": "application/json" }, { pin });
  await ask();
  if (answer.ok) return standing.act !== null ? "open" : "failed";
  return { 401: "wrong", 429: "wait" }[answer.status] ?? "failed";
}

/** Nobody acts from this screen any more. */
export async function lock() {
  await post("/session/lock", {});
  await ask();
}
