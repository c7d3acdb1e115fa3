// The proof before the shift: starts it, shows what is found, asks a person what they saw, and prints the card. It says
// nothing of its own: the words are the gate's, and what a check says is put together from its name, its code and its
// values.

import { byId, make, put } from "./dom.js";
import { unlocked } from "./pad.js";
import { goBackWhenIdle, page } from "./page.js";
import { fill, moment } from "./say.js";
import { get, post } from "./session.js";

/** Signs beside the words, for those who do not tell colours apart. */
const SIGNS = { ok: "✓", wants_attention: "!", failed: "✗", not_there: "–", asked: "?" };
const FAST_MS = 400;
const SLOW_MS = 2000;
/** Who proves a gate walks around it meanwhile. */
const IDLE_MS = 180000;

const state = { lang: null, words: null, info: null, progress: null, earlier: [], shown: null, complaint: "" };
let listed = null;

async function begin() {
  try {
    await page(spoken);
    await follow();
  } catch {
    setTimeout(begin, SLOW_MS);
  }
}

function spoken(gate) {
  Object.assign(state, gate);
  draw();
}

async function follow() {
  try {
    const answer = await get("/proof.json");
    // Locked meanwhile, or the gate began anew: its first page unlocks a screen.
    if (answer.status === 401 || answer.status === 403) return location.assign("/");
    if (!answer.ok) throw new Error(await answer.text());
    state.progress = await answer.json();
    state.lost = false;
    if (listed !== newest()) {
      state.earlier = await get("/proofs.json").then((cards) => cards.json());
      listed = newest();
    }
  } catch {
    state.lost = true;
  }
  draw();
  setTimeout(follow, state.progress?.running ? FAST_MS : SLOW_MS);
}

/** What tells two states of the list of cards apart. */
function newest() {
  const card = state.progress?.proof;
  return card ? `${card.number} ${card.ready}` : "";
}

/** Has the gate do something, by somebody who may. */
async function order(path, body) {
  if (!(await unlocked(state.words))) return;
  state.complaint = "";
  try {
    const answer = await post(path, body ?? {});
    if (!answer.ok) state.complaint = fill(state.words.proof.refused, { why: (await answer.text()).trim() });
  } catch {
    state.complaint = state.words.proof.lost;
  }
  const progress = await get("/proof.json").then((answer) => answer.json()).catch(() => null);
  state.progress = progress ?? state.progress;
  state.shown = null;
  draw();
}

/** A check in words: its name, what was found, and the one thing to do. */
function said(check) {
  const table = state.words.proof_check[check.name] ?? {};
  const values = { ...check.values };
  const text = (key) => (table[key] === undefined ? null : fill(table[key], values));
  const asks = check.state === "failed" || check.state === "wants_attention";
  const [name, found] = [text("name") ?? check.name, text(check.code) ?? check.code];
  const remedy = asks ? text(`${check.code}_remedy`) : null;
  return { name, found, remedy, line: `${name}${state.words.proof.colon}${found}` };
}

function draw() {
  if (!state.words) return;
  const say = state.words.proof;
  document.title = say.title;
  byId("title").textContent = say.title;
  byId("back").textContent = say.back;
  drawControls(say);
  // A card counts as long as its gate runs, and whether that does nobody knows while it does not answer.
  const current = state.lost ? null : state.progress?.proof;
  const card = state.progress?.running ? null : state.shown ?? current ?? null;
  byId("card").hidden = !card;
  byId("print").hidden = !card;
  byId("print").textContent = say.print;
  if (card) drawCard(say, card);
  drawOutputs(say);
  drawEarlier(say);
}

function drawControls(say) {
  const { progress } = state;
  const running = progress?.running ?? false;
  byId("start").textContent = running ? say.running : progress?.proof ? say.again : say.start;
  byId("start").disabled = running || !progress;
  const found = progress?.found.length ?? 0;
  const of = Math.max(progress?.of ?? 1, found);
  const none = progress && !progress.proof ? say.none : "";
  const how = running ? fill(say.progress, { n: found, of }) : none;
  put("progress", state.lost ? say.lost : how || progress?.not_kept || "");
  byId("meter").hidden = !running;
  byId("meter").max = of;
  byId("meter").value = found;
}

function drawCard(say, card) {
  byId("card-title").textContent = say.title;
  const site = state.lang.startsWith("zh") ? card.site_zh : card.site_en;
  const at = moment(state.words.when, card.at, null, state.info.utc_offset_min);
  const as_of = card.trust_as_of && moment(state.words.when, card.trust_as_of, null, state.info.utc_offset_min);
  const facts = [
    [say.site, site],
    [say.lane, card.lane],
    [card.clock === "trusted" ? say.at : say.at_unsure, at],
    [say.gate, card.gate],
    [say.trust, card.trust_version === null ? null : fill(say.trust_value, { version: card.trust_version, as_of })],
    [say.program, card.program],
    ["", fill(say.number, { n: card.number })],
  ];
  byId("facts").replaceChildren(
    ...facts.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => {
      const fact = make("div", "");
      fact.append(make("dt", "", name), make("dd", "", String(value)));
      return fact;
    }),
  );
  const reasons = (wantedState) =>
    card.checks.filter((check) => check.state === wantedState).map((check) => {
      const { line: words, remedy } = said(check);
      const line = make("li", "", words);
      if (remedy) line.append(make("span", "remedy", remedy));
      return line;
    });
  byId("verdict").textContent = card.ready ? say.ready : say.not_ready;
  byId("verdict").dataset.sign = card.ready ? SIGNS.ok : SIGNS.failed;
  byId("because").replaceChildren(...reasons("failed"));
  byId("attention").replaceChildren(...reasons("wants_attention"));
  byId("attention").dataset.title = say.attention;
  byId("head-what").textContent = say.what;
  byId("head-found").textContent = say.found;
  byId("checks").replaceChildren(...card.checks.map((check) => row(say, check)));
  byId("signature").textContent = say.signature;
  byId("signature-date").textContent = say.date;
}

function row(say, check) {
  const { name, found } = said(check);
  const line = make("tr", check.state);
  const head = make("th", "", name);
  head.scope = "row";
  const cell = make("td", "");
  const sign = make("span", "sign", SIGNS[check.state]);
  sign.setAttribute("aria-hidden", "true");
  cell.append(sign, make("span", "state-name", `${say[`sign_${check.state}`]} `), make("span", "", found));
  if (check.message) cell.append(make("span", "message", `${say.technician}${say.colon}${check.message}`));
  line.append(head, cell);
  return line;
}

function drawOutputs(say) {
  const { progress } = state;
  const outputs = progress?.proof && !progress.running && !state.shown ? progress.outputs : [];
  byId("outputs").hidden = outputs.length === 0;
  byId("outputs-title").textContent = say.outputs;
  byId("outputs-how").textContent = say.outputs_how;
  byId("way-note").textContent = say.way_note;
  byId("way-note").hidden = !outputs.includes("way");
  byId("complaint").textContent = state.complaint;
  const list = byId("outputs-list");
  const drawn = JSON.stringify([state.lang, outputs, progress?.proof?.checks.filter((check) => outputs.includes(check.name))]);
  // Only where something changed: a button under a finger stays where it is.
  if (list.dataset.drawn === drawn) return;
  list.dataset.drawn = drawn;
  list.replaceChildren(...outputs.map((which) => output(say, which, progress.proof)));
}

function output(say, which, card) {
  const check = card.checks.find((check) => check.name === which) ?? { name: which, code: "untried", state: "asked", values: {} };
  const line = make("li", check.state);
  line.append(make("span", "", `${SIGNS[check.state]} ${said(check).line}`));
  const button = (text, act, disabled) => {
    const made = make("button", "", text);
    made.type = "button";
    made.disabled = disabled;
    made.addEventListener("click", act);
    line.append(made);
  };
  const tried = !["untried", "barred"].includes(check.code);
  button(say.try, () => order("/proof/output", { which }), false);
  button(say.yes, () => order("/proof/answer", { which, yes: true }), !tried);
  button(say.no, () => order("/proof/answer", { which, yes: false }), !tried);
  return line;
}

function drawEarlier(say) {
  // The card of this shift too, so that there is a way back to it.
  const { earlier } = state;
  byId("earlier").hidden = earlier.length === 0;
  byId("earlier-title").textContent = say.earlier;
  const drawn = `${state.lang} ${listed}`;
  const list = byId("earlier-list");
  if (list.dataset.drawn === drawn) return;
  list.dataset.drawn = drawn;
  list.replaceChildren(
    ...earlier.map((card) => {
      const at = moment(state.words.when, card.at, null, state.info.utc_offset_min);
      const word = card.ready ? say.earlier_ready : say.earlier_not_ready;
      const line = make("li", "");
      const open = make("button", "", `${card.ready ? SIGNS.ok : SIGNS.failed} ${at} ${word}`);
      open.type = "button";
      open.addEventListener("click", () => {
        state.shown = card.number === state.progress?.proof?.number ? null : card;
        draw();
        byId("card").scrollIntoView();
      });
      line.append(open);
      return line;
    }),
  );
}

goBackWhenIdle(IDLE_MS, () => state.progress?.running);
byId("start").addEventListener("click", () => order("/proof/start"));
byId("print").addEventListener("click", () => window.print());
begin();
