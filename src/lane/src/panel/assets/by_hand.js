// The manual way: why a volunteer lets somebody in or keeps somebody out. The gate takes it only from an unlocked screen,
// or where it has no PIN from a screen of its own; elsewhere the button is not there.

import { byId, make, put } from "./dom.js";
import { unlocked } from "./pad.js";
import { post, stands } from "./session.js";

/** How long it is said that a decision was taken, or was not heard. */
const SAID_MS = 4000;
/** A second touch within this is the same touch. */
const AGAIN_MS = 1000;

/** The screen that the volunteer saw when they touched the button: whoever that was about is meant. */
let meant = null;
let isTyping = false;
let said = null;
let sentAt = -AGAIN_MS;

/** Whether this screen may act, or may after the PIN. */
function isOffered({ bar, lost, locked }) {
  return Boolean(bar) && !lost && !locked && (stands().act !== null || stands().has_pin);
}

/** What the rules keep from being done about the person who is meant; null where nothing. */
function hindrance({ bar, words }) {
  if (bar.manual === "never") return words.by_hand.never;
  const decision = meant?.kind === "verdict" ? meant.decision : null;
  if (decision?.verdict !== "refuse") return null;
  if (decision.reasons.some(({ name }) => name === "red")) return words.by_hand.not_red;
  return bar.manual === "referred" ? words.by_hand.not_here : null;
}

/** Draws the button, and what it opens. */
export function drawByHand(state) {
  const offered = isOffered(state) && state.screen?.kind !== "alarm";
  // What came of an order is said where it was begun, for the sheet goes with the person.
  const short = { sent: "sent", changed: "changed" }[said] ?? "look";
  const told = said !== null && meant === null ? short : "open";
  put("by-hand-button", offered ? state.words.by_hand[told] : null);
  if (!offered) openByHand(false);
  if (byId("by-hand").hidden) return;
  const { words } = state;
  const why = hindrance(state);
  put("by-hand-title", words.by_hand.title);
  put("by-hand-say", said ? words.by_hand[said] : why ?? words.by_hand.how);
  put("by-hand-close", words.by_hand.close);
  for (const [id, causes, off] of [
    ["let-in", ["paper_seen", "hand_thermometer", "no_phone", "urgent", "carer", "other_admit"], Boolean(why)],
    ["keep-out", ["unwell", "not_the_holder", "declines", "other_refuse"], false],
  ]) {
    const group = byId(id);
    const key = `${state.lang} ${off}`;
    if (group.dataset.key === key) continue;
    group.dataset.key = key;
    const buttons = causes.map((cause) => {
      const button = make("button", "cause", words.cause[cause]);
      button.type = "button";
      button.disabled = off;
      button.addEventListener("click", () => send(cause, state));
      return button;
    });
    group.replaceChildren(make("h2", "", words.by_hand[id === "let-in" ? "admit" : "refuse"]), ...buttons);
  }
}

/** Whether a pad is open that leads to a decision by hand. */
export const isTypedFor = () => isTyping;

/** Opens the pad, if need be, for a decision about whoever is there now. */
async function typed(words) {
  isTyping = true;
  try {
    return await unlocked(words);
  } finally {
    isTyping = false;
  }
}

/** The button was touched: whoever is there now is meant, and not whoever comes while the PIN is typed. */
export async function touchByHand(state) {
  if (!byId("by-hand").hidden) return openByHand(false);
  const screen = state.screen ?? { number: 0 };
  if (!(await typed(state.words)) || state.screen?.person !== screen.person) return;
  openByHand(true, screen);
  drawByHand(state);
}

/** Opens the sheet about whoever this screen is about, or closes it. */
export function openByHand(open, screen = null) {
  meant = open ? screen : null;
  byId("by-hand").hidden = !open;
  byId("by-hand-button").setAttribute("aria-expanded", String(open));
}

async function send(cause, state) {
  const now = performance.now();
  if (now - sentAt < AGAIN_MS) return;
  sentAt = now;
  const screen = meant;
  const order = { cause, screen: screen.number };
  try {
    let answer = await post("/by-hand", order);
    // The screen has locked itself meanwhile.
    const again = answer.status === 401 && (await typed(state.words)) && meant === screen;
    if (again) answer = await post("/by-hand", order);
    said = answer.ok ? "sent" : { 409: "changed", 422: "not_allowed", 504: "look" }[answer.status] ?? "failed";
  } catch {
    // Whether the gate has heard it nobody knows.
    said = "look";
  }
  setTimeout(() => {
    said = null;
    drawByHand(state);
  }, SAID_MS);
  // What came of it is on the screen in a moment.
  if ((said === "sent" || said === "changed") && meant === screen) openByHand(false);
  drawByHand(state);
}
