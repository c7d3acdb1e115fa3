// What is said while a stick is in: checking, in force, nothing newer, refused. A card on the screen while nobody is
// at the gate, and a place in the bar for as long as the stick is in and a while longer: the card may have been behind
// a verdict all the time.

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
  return cardOf(state, stickOf(state));
}

function cardOf(state, stick) {
  const { words, other } = state;
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

/** The place in the bar of the stick that is in, or was until lately; nothing without one. */
export function stickPart(state) {
  const isIn = stickOf(state) !== null;
  const stick = stickOf(state) ?? state.bar?.last_stick;
  if (!stick) return null;
  const { words } = state;
  const { stick: say } = words;
  const { title, say: how, remedy, why } = cardOf(state, stick);
  const todo = isIn ? remedy : stick.state === "refused" && words.refusal[stick.refusal ?? "storage"].remedy;
  const message = [title, joined([how, todo].filter(Boolean)), why].filter(Boolean).join(" · ");
  const level = stick.state === "refused" ? "warn" : "fine";
  const label = isIn ? say.label : say.last;
  return { name: "stick", label, value: say[`${nameOf(stick)}_short`], level, message };
}
