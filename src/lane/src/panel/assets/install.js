// The page for whoever mounts the camera: how sharp, how lit, which way to turn. The gate measures only while this page
// is open, so it does not stay open for ever: it goes back to the gate's screen by itself.

import { after, load, remember, textsOf, wanted } from "./lang.js";
import { fill } from "./say.js";
import { ask } from "./session.js";

/** A camera gives several pictures a second. */
const SILENCE_MS = 2500;
/** Three of the gate's beats. */
const SILENCE_OF_GATE_MS = 6000;
/** Nobody mounts one camera for longer without a look at the page. */
const LONGEST_MS = 20 * 60 * 1000;
/** Signs beside the words, for those who do not read. */
const ARROWS = { left: "←", right: "→", up: "↑", down: "↓", closer: "+", farther: "−", good: "✓" };
/** The height that a code should fill, of the picture's. */
const GUIDE_SHARE = 0.5;

const state = { langs: [], lang: null, words: null, bar: null, aim: null };
const byId = (id) => document.getElementById(id);
let source = null;
let aimedAt = 0;
let heardAt = performance.now();
let openedAt = performance.now();
let version = null;

function listen() {
  source?.close();
  source = new EventSource("/install/events");
  heardAt = performance.now();
  const on = (name, take) =>
    source.addEventListener(name, (event) => {
      heardAt = performance.now();
      take(JSON.parse(event.data));
    });
  on("hello", hello);
  on("bar", (bar) => {
    state.bar = bar;
    draw();
  });
  on("aim", (aim) => {
    state.aim = aim;
    aimedAt = performance.now();
    draw();
  });
  on("beat", () => {});
}

async function hello({ langs, version: served }) {
  if (version !== null && version !== served) return location.reload();
  version = served;
  state.langs = langs;
  try {
    await load(langs);
    choose(state.lang ?? wanted(langs));
  } catch {
    setTimeout(listen, 1000);
  }
}

function choose(lang) {
  state.lang = lang;
  state.words = textsOf(lang);
  draw();
}

function draw() {
  const { words, langs, lang, aim, bar } = state;
  if (!words) return;
  const say = words.install;
  document.documentElement.lang = lang;
  byId("title").textContent = say.title;
  byId("back").textContent = say.back;
  byId("lang").textContent = textsOf(after(langs, lang)).name;
  byId("how").textContent = say.how;
  for (const id of ["focus", "light", "framing"]) byId(id).querySelector("h2").textContent = say[id];
  byId("nothing").textContent = aim ? "" : bar?.camera.message ?? say.nothing;
  byId("picture").hidden = !aim;
  byId("marks").classList.toggle("off", !aim);
  drawFocus(say, aim);
  drawLight(say, aim);
  drawFraming(say, aim);
}

function drawFocus(say, aim) {
  const section = byId("focus");
  section.className = aim?.sharpness ?? "";
  byId("now").textContent = aim?.focus ?? "–";
  byId("best").textContent = aim?.best == null ? "" : fill(say.best, { n: aim.best });
  byId("scale").style.setProperty("--now", aim?.focus ?? 0);
  byId("scale").style.setProperty("--best", aim?.best ?? 0);
  byId("mark").hidden = aim?.best == null;
  section.querySelector(".word").textContent = aim ? say[`focus_${aim.sharpness}`] : "";
}

function drawLight(say, aim) {
  byId("light").querySelector(".word").textContent = aim ? say[`light_${aim.light}`] : "–";
}

function drawFraming(say, aim) {
  const code = aim?.code;
  byId("arrow").textContent = code ? ARROWS[code.advice] : "";
  byId("advice").textContent = !aim ? "–" : say[`framing_${code?.advice ?? "none"}`];
  place("code", code && { x: code.left, y: code.top, width: code.right - code.left, height: code.bottom - code.top });
  byId("code").setAttribute("class", code?.advice === "good" ? "good" : "");
  if (!aim) return place("guide", null);
  byId("marks").setAttribute("viewBox", `0 0 ${aim.width} ${aim.height}`);
  const side = aim.height * GUIDE_SHARE;
  place("guide", { x: (aim.width - side) / 2, y: (aim.height - side) / 2, width: side, height: side });
  const address = `/install/picture?n=${aim.picture}`;
  if (byId("picture").getAttribute("src") !== address) byId("picture").src = address;
}

function place(id, box) {
  const rect = byId(id);
  rect.style.display = box ? "" : "none";
  for (const [name, value] of Object.entries(box ?? {})) rect.setAttribute(name, value);
}

function watch() {
  const now = performance.now();
  if (now - openedAt > LONGEST_MS) return location.assign("/");
  if (state.aim && now - aimedAt > SILENCE_MS) {
    state.aim = null;
    draw();
  }
  if (now - heardAt > SILENCE_OF_GATE_MS || source?.readyState === EventSource.CLOSED) begin();
}

/** Listens as long as this screen may look; one that was locked is unlocked on the panel's first page. */
async function begin() {
  heardAt = performance.now();
  source?.close();
  source = null;
  try {
    if ((await ask()).may_look) listen();
    else location.assign("/");
  } catch {
    // A gate that does not answer is asked again after a silence.
  }
}

byId("lang").addEventListener("click", () => {
  remember(after(state.langs, state.lang));
  choose(after(state.langs, state.lang));
});
document.addEventListener("pointerdown", () => {
  openedAt = performance.now();
});
await begin();
setInterval(watch, 500);
