// What a volunteer may set: how long answers stay, how loud the gate is, when the screen locks itself, the PIN.

import { byId, make, put } from "./dom.js";
import { newPin, unlocked } from "./pad.js";
import { goBackWhenIdle, page } from "./page.js";
import { fill } from "./say.js";
import { get, post, stands } from "./session.js";

const SECONDS = { hold_admit_ms: [1, 1.5, 2, 3, 5, 8], hold_other_ms: [5, 8, 15, 30] };
const LOCK_MINUTES = [1, 5, 10, 30, 60];
const VOLUMES = [0, 25, 50, 75, 100];

let told = null;

/** One question and its answers, of which one is chosen. */
function choice(name, question, answers, chosen) {
  const group = make("fieldset", "row");
  group.append(make("legend", "", question));
  const options = make("div", "options");
  for (const { key, text, set } of answers) {
    const label = make("label", "option");
    const input = make("input", "");
    Object.assign(input, { type: "radio", name, checked: key === chosen });
    input.addEventListener("change", () => save(set));
    label.append(input, make("span", "", text));
    options.append(label);
  }
  group.append(options);
  return group;
}

function rows({ words }) {
  const say = words.settings;
  const seconds = (name, extra = {}) =>
    SECONDS[name].map((n) => ({ key: n * 1000, text: fill(say.seconds, { n }), set: { [name]: n * 1000, ...extra } }));
  const stays = { key: "stays", text: say.stays, set: { other_stays: true } };
  const minutes = LOCK_MINUTES.map((n) => ({ key: n, text: fill(say.minutes, { n }), set: { lock_after_min: n } }));
  const all = [
    choice("admit", say.hold_admit, seconds("hold_admit_ms"), told.hold_admit_ms),
    choice("other", say.hold_other, [stays, ...seconds("hold_other_ms", { other_stays: false })],
      told.other_stays ? "stays" : told.hold_other_ms),
  ];
  const loud = (n) => (n === 0 ? say.silent : fill(say.percent, { n }));
  all.push(
    choice("volume", say.volume, VOLUMES.map((n) => ({ key: n, text: loud(n), set: { volume_percent: n } })), told.volume_percent),
    choice("speech", say.speech, [true, false].map((on) => ({ key: on, text: on ? say.on : say.off, set: { speech: on } })), told.speech),
  );
  if (told.has_pin) all.push(choice("lock", say.lock, minutes, told.lock_after_min));
  all.push(buttons(words));
  return all;
}

function buttons(words) {
  const say = words.settings;
  const row = make("div", "row");
  if (!told.has_pin) row.append(make("p", "note", say.pin_none));
  const button = (text, act) => {
    const made = make("button", "", text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  };
  row.append(
    button(told.has_pin ? say.pin_change : say.pin_set, () => changePin(words)),
    button(say.site, () => save(null)),
  );
  return row;
}

/** Sets something more, or nothing any more. */
async function save(more) {
  if (!(await unlocked(gate.words))) return load();
  // Somebody may have set something else at another screen since.
  const saved = (await load()) && (await post("/settings", more === null ? {} : { ...told.set, ...more }).catch(() => null))?.ok;
  const isShown = await load();
  put("said", saved && isShown ? gate.words.settings.saved : gate.words.settings.failed);
}

async function changePin(words) {
  if (told.has_pin ? !(await unlocked(words)) : stands().act === null) return;
  const saved = await newPin(words, async (old, pin) => {
    const answer = await post("/pin", old === null ? { pin } : { old, pin });
    if (answer.ok) return null;
    if (answer.status === 500) return words.pin.not_kept;
    const { why } = answer.status === 422 ? await answer.json() : {};
    return words.pin[why] ?? words.pin.failed;
  });
  // Every session has ended, this one too.
  await load();
  if (saved) put("said", words.pin.saved);
}

/** Shows what is set; false where the gate does not say it. */
async function load() {
  const answer = await get("/settings.json").catch(() => null);
  if (!answer?.ok) return false;
  told = await answer.json();
  draw(gate);
  return true;
}

function draw({ words }) {
  put("title", words.settings.title);
  put("back", words.install.back);
  if (told) byId("rows").replaceChildren(...rows({ words }));
}

goBackWhenIdle();
const gate = await page(draw);
if (await unlocked(gate.words)) await load();
else location.assign("/");
