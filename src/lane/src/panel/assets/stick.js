// What is said while a stick is in: checking, in force, nothing newer, refused. A card on the screen while nobody is
// at the gate, and a place in the bar for as long as the stick is in.

import { fill, joined, moment } from "./say.js";

/** For how long a card takes the screen when nothing about it changes: somebody may have forgotten the stick. */
const CARD_MS = 120000;

let seen = null;
let seenAt = 0;

function stickOf({ bar, lost }) {
  return !lost && bar?.import?.road === "stick" ? bar.import : null;
}

/** Whether the card takes the screen, where that is free. */
export function hasCard(state) {
  const stick = stickOf(state);
  const key = stick && JSON.stringify(stick);
  if (key !== seen) [seen, seenAt] = [key, performance.now()];
  return stick !== null && (stick.state === "importing" || performance.now() - seenAt < CARD_MS);
}

/** What is still said of a stick whose card had its time. */
export function forgotten(state) {
  return stickOf(state) && !hasCard(state) ? state.words.stick.out : null;
}

/** The texts of the card. */
export function card(state) {
  const { words, other } = state;
  const stick = stickOf(state);
  const say = words.stick;
  const name = nameOf(stick);
  const texts = { sign: `stick_${stick.state}`, word: say[name], other: other?.stick[name], say: say[`${stick.state}_how`] };
  texts.also = say.showing;
  if (stick.state !== "importing") texts.remedy = say.out;
  if (stick.state === "imported") texts.title = what(state);
  if (stick.state === "refused") {
    const refusal = words.refusal[stick.refusal ?? "storage"];
    texts.title = refusal.title;
    texts.say = joined([refusal.say, say.refused_how]);
    texts.remedy = `${refusal.remedy}\n${say.out}`;
    texts.why = fill(say.technician, { why: stick.why });
  }
  return texts;
}

/** A refusal that is not the stick's has another word. */
function nameOf({ state, refusal }) {
  return state === "refused" && !refusal ? "failed" : state;
}

function what({ words, bar, info }) {
  if (!bar.trust) return null;
  const sure = bar.clock.confidence === "trusted" ? bar.clock.time : null;
  const when = moment(words.when, bar.trust.as_of, sure, info?.utc_offset_min ?? 0);
  return fill(words.stick.imported_what, { n: bar.trust.version, when });
}

/** The place of the stick in the bar; nothing without one. */
export function stickPart(state) {
  const stick = stickOf(state);
  if (!stick) return null;
  const { stick: say } = state.words;
  const { title, say: how, remedy, why } = card(state);
  const message = [title, joined([how, remedy].filter(Boolean)), why].filter(Boolean).join(" · ");
  const level = stick.state === "refused" ? "warn" : "fine";
  return { name: "stick", label: say.label, value: say[`${nameOf(stick)}_short`], level, message };
}
