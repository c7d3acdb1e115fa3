// From the state to the page. Whatever a pass says is put there as text (textContent), never as markup.

import { drawByHand } from "./by_hand.js";
import { byId, make, put } from "./dom.js";
import { drawIssuers, lacks } from "./issuers.js";
import { age, fill, joined, moment, said, tenths, timeOfDay } from "./say.js";
import { stands } from "./session.js";
import { card, forgotten, hasCard, stickPart } from "./stick.js";
import { drawToday } from "./today.js";

/** Reasons for which what the gate believes wants an update. */
const WANT_NEW =
  ["trust_missing", "trust_stale", "trust_ageing", "status_stale", "status_ageing", "status_unreadable"];
/** What of a decision is about one person. */
const OF_THE_PERSON = ["colour", "from", "kind", "name", "expires", "until", "temp"];
/** For so long it is on the page, however long the verdict stays. */
const PERSON_MS = 60000;
/** The texts in the middle of the page. */
const TEXTS = ["word", "other", "title", "say", "remedy", "also", "why", "volunteer"];

/** The screen that is drawn, and since when it is shown. */
let seen = null;
let seenAt = 0;

/** Draws head, middle and bar. */
export function draw(state) {
  document.documentElement.lang = state.lang;
  drawHead(state);
  drawScreen(state);
  drawBar(state);
}

function drawHead(state) {
  const { info, words, next, lang } = state;
  put("site", (lang.startsWith("zh") ? info?.site_zh : info?.site_en) || info?.site_zh || info?.site_en);
  put("lane", info && fill(words.screen.lane, { lane: info.lane }));
  put("lang", next?.name);
}

/** What the middle of the page is about. A stick comes after every person: its card shows while nobody is there. */
function kindOf(state) {
  if (state.locked) return stands().has_pin ? "locked" : "no_pin";
  const kind = state.lost ? "lost" : state.screen?.kind ?? "starting";
  return kind === "idle" && hasCard(state) ? "stick" : kind;
}

/** The middle of the page: a verdict, or what is asked of the person, or a stick, or that the gate is not heard. */
function drawScreen(state) {
  const kind = kindOf(state);
  const decision = kind === "verdict" ? state.screen.decision : null;
  document.body.dataset.screen = kind;
  document.body.dataset.verdict = decision?.verdict ?? "";
  const stick = kind === "stick" ? card(state) : null;
  const sign = decision?.verdict ?? stick?.sign ?? { hint: state.screen?.hint, no_pin: "locked" }[kind] ?? kind;
  byId("sign-use").setAttribute("href", `#sign-${sign}`);
  if (!stick) for (const id of TEXTS.slice(2)) put(id, null);
  byId("facts").replaceChildren();
  if (decision) drawDecision(state, decision);
  else if (stick) TEXTS.forEach((id) => put(id, stick[id]));
  else if (kind === "hint") drawHint(state);
  else drawAsked(state, kind);
  put("volunteer-button", byId("volunteer").hidden ? null : state.words.screen.volunteer);
  put("next-button", decision && decision.verdict !== "admit" ? state.words.screen.next : null);
  put("unlock-button", kind === "locked" ? state.words.pin.unlock : null);
  byId("today").hidden = !state.today || !["idle", "stick"].includes(kind);
  if (!byId("today").hidden) drawToday(byId("today"), state);
  drawByHand(state);
  fit();
}

function drawAsked(state, kind) {
  const { words, other, screen } = state;
  put("word", words.screen[kind]);
  put("other", other?.screen[kind]);
  put("say", words.screen[`${kind}_how`]);
  if (kind === "idle") drawNotice(state);
  if (kind === "measure_again") put("title", fill(words.screen.measure_again_count, screen));
}

/** What the volunteer should do before the next person comes: a clock that is contradicted or not sure, a gate that
 * reads no stick, a stick that was left in. */
function drawNotice(state) {
  const { words, bar, info } = state;
  const wrong = bar && (bar.clock.disagrees || bar.clock.confidence !== "trusted");
  const clock = wrong ? clockSentences(words, bar, info?.utc_offset_min ?? 0) : [];
  put("also", joined([...clock, stuck(words, bar), forgotten(state)].filter(Boolean)));
}

/** What is wrong with the device's clock, with both times where they disagree, and the one action. */
function clockSentences(words, bar, offset) {
  const { clock } = bar;
  if (!clock.doubt) return [];
  const at = (time) => moment(words.when, time, null, offset);
  const sure = clock.confidence === "trusted";
  const told = { jumped: sure ? "jumped" : "ahead", behind: sure ? "jumped" : "behind" }[clock.doubt] ?? clock.doubt;
  const known = at(sure ? clock.time : clock.passed_time);
  const device = clock.device_time && at(clock.device_time);
  const said = fill(words.doubt[told], { device, known, minutes: Math.ceil(clock.error_s / 60) });
  return [said, clockAction(words, bar)];
}

/** The one thing to do about the clock. The network's time helps nobody: the hub signs it, or a person sets it. */
function clockAction(words, bar) {
  return bar.hub ? words.doubt.action_hub : words.doubt.action_alone;
}

/** What to do where what the gate believes wants an update. */
function renewal(words, bar) {
  return stuck(words, bar) ?? (bar.hub ? words.renew.hub : words.renew.stick);
}

/** That the gate takes nothing new, by whatever road. */
function stuck(words, bar) {
  return bar && !bar.takes_new ? words.renew.none : null;
}

/** What the volunteer can do about the gate itself, for those reasons that are its own. */
function actionFor({ words, bar }, reason) {
  if (!bar) return null;
  if (reason === "clock_untrusted") return clockAction(words, bar);
  return WANT_NEW.includes(reason) ? renewal(words, bar) : null;
}

/** A code is there and can not be read: what to do, what was seen, how to do it. */
function drawHint({ words, other, screen }) {
  const hint = words.hint[screen.hint];
  put("word", hint.word);
  put("other", other?.hint[screen.hint].word);
  put("title", hint.title);
  put("say", hint.how);
}

/** What people are told, the gravest first, and what the issuer changed since: it explains the colour. */
function told({ words }, { verdict, reasons, evidence }) {
  const has = (...names) => reasons.some(({ name }) => names.includes(name));
  const changed = has("overridden") ? words.status[evidence.status] ?? words.reason.overridden : null;
  const explains = Boolean(changed) && has("red", "yellow");
  const here = (name) => (name === "manual_override" && words.manual[verdict]) || atSite(words, evidence, name);
  const texts = reasons.map(({ name }) => (name !== "overridden" ? here(name) : explains ? null : changed));
  const colour = reasons.findIndex(({ name }) => name === "red" || name === "yellow");
  if (explains) texts.splice(colour + 1, 0, changed);
  return { texts: texts.filter(Boolean), why: explains && colour === 0 ? changed : null };
}

/** A reason's words: yellow by what it leads to here, and what is told otherwise at this class of site. */
function atSite(words, { site, yellow }, name) {
  const everywhere = (name === "yellow" && words.yellow[yellow]) || words.reason[name];
  return { ...everywhere, ...words.site[site]?.[name] };
}

function drawDecision(state, decision) {
  const { words, other } = state;
  const verdict = words.verdict[decision.verdict];
  const { texts, why } = told(state, decision);
  const [gravest, ...rest] = texts;
  const withWhy = (text, more) => joined([text, more].filter(Boolean));
  put("word", verdict.word);
  put("other", other?.verdict[decision.verdict].word);
  put("title", gravest?.title);
  if (decision.verdict === "admit" || !gravest) {
    put("say", verdict.say);
  } else {
    put("say", withWhy(gravest.holder, why?.holder));
    put("remedy", remedy(gravest, decision.evidence.hotline));
  }
  if (rest.length > 0) put("also", said(words, words.screen.also, rest.map(({ title }) => title).join(" · ")));
  const note = words.kind_note[decision.evidence.kind];
  const action = gravest && actionFor(state, decision.reasons[0].name);
  const more = [gravest && withWhy(gravest.volunteer, why?.volunteer), action, note].filter(Boolean);
  if (more.length > 0) put("volunteer", said(words, words.screen.volunteer, joined(more)));
  drawFacts(state, decision);
  forgetPerson(state);
}

/** What to do next, with whom to call where there is somebody. */
function remedy({ remedy: text, call }, hotline) {
  if (!call || !hotline) return text;
  const unbroken = hotline.replaceAll("-", "\u2011").replaceAll(" ", "\u00a0");
  return joined([text, fill(call, { hotline: unbroken })]);
}

/** How old and how sure is what a decision rests on: the keys, the issuer's changes, the clock. */
function restsOn(words, { trust_as_of: trust, status_as_of: status, clock }, now, at) {
  const { label, when, freshness } = words;
  const keys = trust && (now ? age(when, trust, now) : at(trust));
  return [
    said(words, label.trust, keys || freshness.unknown),
    status && said(words, label.status, at(status)),
    said(words, label.clock, words.clock[clock]),
  ].filter(Boolean).join(" · ");
}

function drawFacts({ words, lang, info }, decision) {
  const { evidence } = decision;
  const now = evidence.clock === "trusted" ? evidence.time : null;
  const at = (time) => moment(words.when, time, now, info?.utc_offset_min ?? 0);
  const degrees = (celsius) => fill(words.label.degrees, { n: tenths(celsius) });
  const { display, issuer_name: name } = evidence;
  fact("colour", words.label.colour, decision.colour && words.colour[decision.colour], decision.colour);
  fact("from", words.label.issuer, (name && (name[lang.split("-")[0]] || name.zh)) || decision.issuer);
  fact("kind", words.label.kind, evidence.kind && words.kind[evidence.kind]);
  const tail = display?.id_tail && `…${display.id_tail}`;
  fact("name", words.label.name, [display?.name, tail].filter(Boolean).join(" "));
  fact("expires", words.label.expires_at, decision.expires_at && at(decision.expires_at));
  const left = evidence.days_left;
  const days = left === null ? null : left === 0 ? words.label.last_day : fill(words.label.days_left, { n: left });
  fact("until", words.label.until, evidence.until && [at(evidence.until), days].filter(Boolean).join(" · "));
  fact("cause", words.label.cause, decision.cause && words.cause[decision.cause]);
  fact("temp", words.label.temp, evidence.temp_c !== null && degrees(evidence.temp_c));
  fact("rests", words.label.rests_on, restsOn(words, evidence, now, at));
}

function fact(className, label, value, colour) {
  if (!value) return;
  const item = make("div", `fact ${className}`);
  if (colour) item.dataset.colour = colour;
  item.append(make("dt", "", label), make("dd", "", value));
  byId("facts").append(item);
}

/** Whether a verdict has stood for so long that what is about one person is nobody's to read any more. */
function isLongAgo({ screen }) {
  if (screen !== seen) [seen, seenAt] = [screen, performance.now() - (screen?.age_ms ?? 0)];
  return performance.now() - seenAt >= PERSON_MS;
}

/** Takes what is about one person off the page in time; verdict, reason and what to do stay. */
function forgetPerson(state) {
  if (!isLongAgo(state)) return;
  const facts = byId("facts").querySelectorAll(OF_THE_PERSON.map((name) => `.${name}`).join());
  facts.forEach((item) => item.remove());
  if (facts.length > 0) fit();
}

/** The state of the device: a strip at the foot, and the same with the technician's sentences when tapped. */
export function drawBar(state) {
  const items = state.bar && !state.lost && !state.locked ? parts(state) : [];
  byId("bar").replaceChildren(...items.map(strip));
  byId("bar").setAttribute("aria-label", state.words.screen[byId("device").hidden ? "bar_show" : "bar_hide"]);
  forgetPerson(state);
  const kind = kindOf(state);
  if (kind === "idle" && document.body.dataset.screen === "idle") {
    drawNotice(state);
    fit();
  } else if (["idle", "stick"].includes(kind)) {
    drawScreen(state);
  }
  // What somebody has just done is what the list is opened for.
  const [first, rest] = [true, false].map((is) => items.filter(({ name }) => (name === "stick") === is));
  byId("parts").replaceChildren(...[...first, ...rest].map(line));
  put("install-link", state.words.screen.install);
  put("history-link", state.words.history.title);
  put("settings-link", state.words.settings.title);
  const { has_pin: hasPin, act } = stands();
  put("lock-button", hasPin ? state.words.pin[act === null ? "unlock" : "lock"] : null);
  put("proof-link", state.words.proof.link);
  put("issuers-button", state.words.issuers.title);
  drawIssuers(state);
  drawByHand(state);
}

function parts(state) {
  const { words, bar, info, receivedAt } = state;
  const offset = info?.utc_offset_min ?? 0;
  const { bar: say, when } = words;
  const now = new Date(Date.parse(bar.clock.time) + performance.now() - receivedAt).toISOString();
  const sure = bar.clock.confidence === "trusted";
  const part = (name, { ok, message }) =>
    ({ name, label: say[name], value: ok ? say.fine : say.ailing, level: ok ? "fine" : "bad", message });
  const items = [
    clockPart(words, bar, sure ? now : null, offset),
    trustPart(words, bar, sure ? now : null),
    { name: "backlog", label: say.backlog, value: fill(say.backlog_count, { n: bar.backlog }), level: "fine" },
    part("camera", bar.camera),
    bar.thermometer && part("thermometer", bar.thermometer),
    part("journal", bar.journal),
  ];
  if (bar.hub) {
    // Without the hub the gate goes on, so this asks for attention and does not alarm.
    const last = bar.hub.last_ack ? moment(when, bar.hub.last_ack, sure ? now : null, offset) : say.never;
    const message = [fill(say.last_ack, { when: last }), bar.hub.message].filter(Boolean).join(" · ");
    items.push({ ...part("hub", bar.hub), level: bar.hub.ok ? "fine" : "warn", message });
  }
  const others = bar.others.map(({ name, message }) => ({ ...part(name, { ok: false, message }), level: "warn" }));
  return [...items, ...others, stickPart(state)].filter(Boolean);
}

function clockPart(words, bar, now, offset) {
  const { bar: say, when } = words;
  const { clock } = bar;
  const network = !now && clock.network_time && fill(words.doubt.network, { when: moment(when, clock.network_time, null, offset) });
  const message = joined([...clockSentences(words, bar, offset), network, clock.fault].filter(Boolean));
  const value = now ? timeOfDay(now, offset) : say.clock_floor;
  return { name: "clock", label: say.clock, value, level: now && !message ? "fine" : "warn", message };
}

/** How old the trust is; before that what is worse: an issuer's list that is of no use, something new that is refused. */
function trustPart(words, bar, now) {
  const { bar: say, when, freshness } = words;
  const { trust, lists } = bar;
  const part = { name: "trust", label: say.trust };
  const fault = [stuck(words, bar), bar.trust_fault].filter(Boolean).join(" · ");
  if (!trust) return { ...part, value: say.missing, level: "bad", message: fault };
  const level = { fresh: "fine", stale: "bad" }[trust.freshness] ?? "warn";
  const value = now ? age(when, trust.as_of, now) : freshness[trust.freshness];
  const wrong = lacks(words, lists);
  const shown = level === "bad" || (wrong.length === 0 && !fault);
  const old = [shown ? null : value, freshness[trust.freshness], fill(say.trust_version, { n: trust.version })];
  const message = [...old, ...wrong, fault].filter(Boolean).join(" · ");
  return shown ? { ...part, value, level, message } : { ...part, value: wrong[0] ?? say.ailing, level: "warn", message };
}

function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const use = document.createElementNS(namespace, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

function strip({ name, label, value, level }) {
  const item = make("span", `part ${level}`);
  item.append(icon(name), make("span", "label", label), make("span", "value", value));
  return item;
}

function line({ name, label, value, level, message }) {
  const item = make("p", `part ${level}`);
  item.append(icon(name), make("span", "label", label), make("span", "value", value));
  item.append(make("span", "message", message ?? ""));
  return item;
}

/** Shrinks the word to its column, then all texts together, until nothing is cut off. */
export function fit() {
  const [main, text, word] = [document.querySelector("main"), byId("text"), byId("word")];
  // Only what is in it is styled anew then.
  const root = text.style;
  const tooWide = () => word.scrollWidth > word.clientWidth + 1;
  const tooHigh = () => main.scrollHeight > main.clientHeight + 1 || text.scrollHeight > text.clientHeight + 1;
  root.setProperty("--word", 1);
  root.setProperty("--fit", 1);
  for (let size = 0.95; tooWide() && size > 0.4; size -= 0.05) root.setProperty("--word", size);
  for (let size = 0.96; tooHigh() && size > 0.5; size -= 0.04) root.setProperty("--fit", size);
}
