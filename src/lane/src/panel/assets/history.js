// What came of the last people and the day in numbers: no names, numbers or temperatures.

import { byId, make, put } from "./dom.js";
import { goBackWhenIdle, page } from "./page.js";
import { unlocked } from "./pad.js";
import { moment } from "./say.js";
import { get } from "./session.js";
import { drawToday } from "./today.js";

const EVERY_MS = 5000;
const SIGNS = { admit: "✓", refer: "!", refuse: "✗" };

let entries = [];
let today = null;
let now = null;

function draw({ words, info }) {
  put("title", words.history.title);
  put("back", words.install.back);
  put("note", words.history.note);
  put("when", words.history.when);
  put("what", words.history.what);
  put("why", words.history.why);
  put("none", entries.length === 0 ? words.history.none : null);
  document.querySelector("table").hidden = entries.length === 0;
  if (today) drawToday(byId("today"), { words, today, info });
  const offset = info.utc_offset_min;
  byId("rows").replaceChildren(...entries.map((entry) => row(words, entry, offset)));
}

function row(words, { time, clock, verdict, reason, cause }, offset) {
  const line = make("tr", verdict);
  const when = moment(words.when, time, now, offset);
  const what = make("td", "what");
  what.append(make("span", "sign", SIGNS[verdict]), make("span", "", words.verdict[verdict].word));
  const why = [reason && words.reason[reason]?.title, cause && words.cause[cause]].filter(Boolean).join(" · ");
  line.append(make("td", "when", clock === "trusted" ? when : `${when} ?`), what, make("td", "", why));
  return line;
}

async function load(gate) {
  try {
    const [history, state] = await Promise.all(["/history.json", "/state"].map(get));
    // Locked meanwhile: what is shown is for whoever may look back.
    if (history.status === 401 || history.status === 403) return location.assign("/");
    if (!history.ok || !state.ok) return;
    const { bar, today: counted } = await state.json();
    [entries, today] = [await history.json(), counted];
    now = bar?.clock.confidence === "trusted" ? bar.clock.time : null;
    draw(gate);
  } catch {
    // A gate that does not answer just now is asked again.
  }
}

goBackWhenIdle();
const gate = await page(draw);
if (await unlocked(gate.words)) {
  await load(gate);
  setInterval(() => load(gate), EVERY_MS);
} else {
  location.assign("/");
}
