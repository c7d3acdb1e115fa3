// The panel's page: listens to the gate and draws what it says.
//
// It never shows a verdict that may be old: when the gate is not heard for a while, or an admission stands
// for longer than any gate lets it, the page says that the connection is lost until it hears again.

import { isTypedFor, openByHand, touchByHand } from "./by_hand.js";
import { draw, drawBar, fit } from "./draw.js";
import { forgetIssuers } from "./issuers.js";
import { after, load, remember, textsOf, wanted } from "./lang.js";
import { closePad, unlocked } from "./pad.js";
import { ask, get, lock, post, stands } from "./session.js";
import { setSound, sound } from "./speech.js";
import { wake } from "./tone.js";

/** Three of the gate's beats. */
const SILENCE_MS = 6000;
/** Longer than any gate may show an admission. */
const STALE_ADMISSION_MS = 65000;

const state = {
  lang: null, langs: [], words: null, other: null, next: null, info: null, screen: null, bar: null, today: null, lost: false, locked: false,
};
let source = null;
let starting = false;
let heardAt = performance.now();
let shownAt = 0;
let sounded = null;
let version = null;

function render() {
  if (state.words) draw(state);
}

async function speak(langs) {
  state.langs = langs;
  await load(langs);
  choose(langs.includes(state.lang) ? state.lang : wanted(langs));
}

function choose(lang) {
  state.lang = lang;
  state.words = textsOf(lang);
  state.next = textsOf(after(state.langs, lang));
  // The word in small is for whoever does not read the large one.
  const family = (tag) => tag.split("-")[0];
  state.other = textsOf(state.langs.find((tag) => family(tag) !== family(lang)) ?? after(state.langs, lang));
  render();
}

function toggle() {
  const next = after(state.langs, state.lang);
  remember(next);
  choose(next);
}

/** Listens, once this screen may look. */
async function start() {
  if (starting) return;
  starting = true;
  heardAt = performance.now();
  try {
    state.locked = !(await ask()).may_look;
    if (state.locked) await speak(await langsOf());
    else listen();
  } catch {
    lose(true);
  } finally {
    starting = false;
  }
  render();
}

/** What the gate speaks; a locked screen may ask that. */
async function langsOf() {
  const { info, langs } = await get("/about.json").then((answer) => answer.json());
  state.info = info;
  return langs;
}

function listen() {
  source?.close();
  source = new EventSource("/events");
  heardAt = performance.now();
  const on = (name, take) =>
    source.addEventListener(name, (event) => {
      heardAt = performance.now();
      take(JSON.parse(event.data));
    });
  on("hello", hello);
  on("screen", show);
  on("bar", (bar) => {
    Object.assign(state, { bar, receivedAt: performance.now() });
    if (state.words) drawBar(state);
  });
  on("today", (today) => {
    state.today = today;
    if (state.words && ["idle", "stick"].includes(document.body.dataset.screen)) draw(state);
  });
  on("sound", setSound);
  on("beat", () => {});
  source.addEventListener("error", () => lose(true));
}

async function hello({ info, langs, version: served }) {
  if (version !== null && version !== served) return location.reload();
  version = served;
  state.info = info;
  try {
    await speak(langs);
  } catch {
    setTimeout(start, 1000);
  }
}

function show(screen) {
  const isOther = screen.person !== state.screen?.person;
  state.screen = screen;
  state.lost = false;
  shownAt = performance.now() - screen.age_ms;
  delete document.body.dataset.volunteer;
  // Nothing lies over what somebody must act on, and what was begun about one person is not finished about another.
  const wantsSomebody = screen.kind === "alarm" || ["refer", "refuse"].includes(screen.decision?.verdict);
  if (screen.kind === "verdict" || screen.kind === "alarm") openDevice(false);
  if (isOther) openByHand(false);
  if (wantsSomebody || (isOther && isTypedFor())) closePad();
  render();
  const key = `${screen.number} ${screen.shown_at_ms}`;
  if (key !== sounded) sound(screen, state.lang);
  sounded = key;
}

function openDevice(open) {
  document.getElementById("device").hidden = !open;
  document.getElementById("bar").setAttribute("aria-expanded", String(open));
  openIssuers(false);
}

/** The issuers take the place of the parts. */
function openIssuers(open) {
  if (open) forgetIssuers();
  document.getElementById("issuers").hidden = !open;
  document.getElementById("parts").hidden = open;
  document.getElementById("issuers-button").setAttribute("aria-pressed", String(open));
}

function lose(lost) {
  if (state.lost === lost) return;
  state.lost = lost;
  if (lost) closePad();
  render();
}

function watch() {
  const now = performance.now();
  const silent = now - heardAt > SILENCE_MS;
  if (state.locked) {
    // Where there is no PIN yet, one may be set meanwhile.
    if (silent && (!stands().has_pin || !state.words)) start();
  } else if (silent || source?.readyState === EventSource.CLOSED) {
    lose(true);
    start();
  } else if (state.screen?.decision?.verdict === "admit" && now - shownAt > STALE_ADMISSION_MS) {
    lose(true);
  }
  if (state.words) drawBar(state);
}

document.getElementById("lang").addEventListener("click", toggle);
document.getElementById("bar").addEventListener("click", () => {
  openDevice(document.getElementById("device").hidden);
  if (state.words) drawBar(state);
});
document.getElementById("issuers-button").addEventListener("click", () => {
  openIssuers(document.getElementById("issuers").hidden);
  if (state.words) drawBar(state);
});
document.getElementById("volunteer-button").addEventListener("click", (event) => {
  const on = document.body.dataset.volunteer !== "on";
  document.body.dataset.volunteer = on ? "on" : "off";
  event.currentTarget.setAttribute("aria-pressed", String(on));
  fit();
});
document.getElementById("by-hand-button").addEventListener("click", () => touchByHand(state));
document.getElementById("unlock-button").addEventListener("click", async () => {
  if (await unlocked(state.words)) start();
});
document.getElementById("lock-button").addEventListener("click", async () => {
  if (stands().act === null) await unlocked(state.words);
  else await lock().catch(() => {});
  state.locked = !stands().may_look;
  if (state.locked) source?.close();
  render();
});
document.getElementById("next-button").addEventListener("click", () => {
  // What came of it is on the screen in a moment; a gate that did not hear is told by the beat.
  post("/next", { screen: state.screen?.number ?? 0 }).catch(() => {});
});
document.getElementById("by-hand-close").addEventListener("click", () => openByHand(false));
document.addEventListener("pointerdown", wake);
new ResizeObserver(fit).observe(document.querySelector("main"));
setInterval(watch, 1000);
start();
