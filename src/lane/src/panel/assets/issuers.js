// How each issuer stands: the worst of it in words for the bar, and all by name for whoever asks.

import { byId, make } from "./dom.js";
import { fill, moment } from "./say.js";

/** The gate itself looks no more often. */
const EVERY_MS = 5000;
const LEVELS = { unreadable: "bad", stale: "bad", missing: "warn", ageing: "warn", unknown: "warn" };
/** What the bar counts, the gravest first. */
const COUNTED = ["unreadable", "stale", "missing", "held_back", "ageing"];

let issuers = null;
let askedAt = -EVERY_MS;
let drawn = null;

/** What is not as it should be with the issuers' lists, the gravest first, in words. */
export function lacks({ issuers: say }, lists) {
  const wrong = COUNTED.filter((name) => lists[name] > 0);
  return wrong.map((name) => fill(say[`count_${name}`], { n: lists[name], of: lists.of }));
}

/** Keeps the list of issuers new while it is open. */
export function drawIssuers(state) {
  if (byId("issuers").hidden) return;
  write(state);
  if (performance.now() - askedAt < EVERY_MS) return;
  askedAt = performance.now();
  const take = (answer) => {
    issuers = answer;
    write(state);
  };
  // A gate that does not answer just now is asked again.
  fetch("/issuers.json").then((answer) => answer.json()).then(take).catch(() => {});
}

/** Asks at once when it is opened again. */
export function forgetIssuers() {
  [issuers, drawn, askedAt] = [null, null, -EVERY_MS];
  byId("issuers").replaceChildren();
}

/** Draws only what is new: somebody may be scrolling. */
function write(state) {
  const key = JSON.stringify([state.lang, issuers]);
  if (!issuers || key === drawn) return;
  drawn = key;
  const rows = issuers.map((issuer) => row(state, issuer));
  byId("issuers").replaceChildren(...(rows.length > 0 ? rows : [make("li", "", state.words.issuers.nothing)]));
}

function row({ words, lang, bar, info }, { issuer, name, list, as_of: asOf, held_back: held }) {
  const { issuers: say, when } = words;
  const item = make("li", "issuer");
  const sure = bar?.clock.confidence === "trusted" ? bar.clock.time : null;
  const told = (at) => moment(when, at, sure, info?.utc_offset_min ?? 0);
  const since = asOf && fill(say.as_of, { when: told(asOf) });
  item.append(make("span", "name", (name && (name[lang] || name.zh)) || fill(say.other, { code: issuer })));
  item.append(make("span", `state ${LEVELS[list] ?? "fine"}`, say[list]), make("span", "since", since ?? ""));
  if (held) {
    const { title } = words.refusal[held.refusal];
    const older = held.older_as_of;
    const text = older ? fill(say.held_back, { title, when: told(older) }) : fill(say.held_back_all, { title });
    item.append(make("span", "held", text));
    item.append(make("span", "why", held.why));
  }
  return item;
}
