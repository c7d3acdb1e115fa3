// The pad on which a PIN is typed: large keys, no digit shown, over whatever page it is opened on.

import { make } from "./dom.js";
import { fill } from "./say.js";
import { ask, stands, unlock } from "./session.js";

const FEWEST = 6;
const MOST = 12;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "back", "0", "ok"];

let pad = null;

/** Opens the pad for a PIN that is checked by `take`: it gives null to be done, else what to say. */
function open(words, title, take) {
  close(false);
  return new Promise((done) => {
    const dialog = make("dialog", "pad");
    const [head, dots, say] = [make("h2", "", title), make("p", "dots"), make("p", "say")];
    head.id = "pad-title";
    dots.setAttribute("role", "status");
    say.setAttribute("role", "status");
    dialog.setAttribute("aria-labelledby", "pad-title");
    const keys = make("div", "keys");
    pad = { dialog, dots, say, words, take, typed: "", busy: false, done };
    for (const key of KEYS) {
      const button = make("button", `key ${key}`, { back: "⌫", ok: words.pin.ok }[key] ?? key);
      button.type = "button";
      if (key === "back") button.setAttribute("aria-label", words.pin.back);
      button.addEventListener("click", () => press(key));
      keys.append(button);
    }
    const cancel = make("button", "cancel", words.pin.close);
    cancel.type = "button";
    cancel.addEventListener("click", () => close(false));
    dialog.addEventListener("keydown", (event) => {
      const key = { Backspace: "back", Enter: "ok" }[event.key] ?? event.key;
      // A button that has the focus answers Enter itself.
      if (!KEYS.includes(key) || (key === "ok" && event.target.closest("button"))) return;
      event.preventDefault();
      press(key);
    });
    dialog.addEventListener("cancel", () => close(false));
    dialog.append(head, dots, say, keys, cancel);
    document.body.append(dialog);
    dialog.showModal();
    write();
  });
}

function close(result) {
  if (!pad) return;
  const { dialog, done } = pad;
  pad = null;
  dialog.close();
  dialog.remove();
  done(result);
}

function write(said) {
  pad.dots.textContent = "●".repeat(pad.typed.length);
  pad.dots.setAttribute("aria-label", fill(pad.words.pin.typed, { n: pad.typed.length }));
  if (said !== undefined) pad.say.textContent = said;
}

async function press(key) {
  const open = pad;
  if (!open || open.busy) return;
  if (key === "back") open.typed = open.typed.slice(0, -1);
  else if (key !== "ok") open.typed = (open.typed + key).slice(0, MOST);
  write(key === "ok" ? undefined : "");
  if (key !== "ok") return;
  if (open.typed.length < FEWEST) return write(open.words.pin.digits);
  open.busy = true;
  const said = await open.take(open.typed).catch(() => open.words.pin.failed);
  if (pad !== open) return;
  open.busy = false;
  open.typed = "";
  if (said === null) close(true);
  else write(said);
}

/** Whether a pad is open. */
export const isPadOpen = () => pad !== null;

/** Opens the pad until this screen is unlocked; false if that was given up. */
export async function unlocked(words) {
  await ask();
  if (stands().act !== null) return true;
  if (!stands().has_pin) return false;
  return open(words, words.pin.title, async (pin) => {
    const outcome = await unlock(pin);
    if (outcome === "open") return null;
    if (stands().wait_s > 0) return fill(words.pin.wait, { n: stands().wait_s });
    return outcome === "wrong" ? words.pin.wrong : words.pin.failed;
  });
}

/** Has a new PIN typed twice and hands it to `save`, which gives null, or what to say; false if that was given up. */
export async function newPin(words, save) {
  let first = null;
  return open(words, words.pin.new, async (pin) => {
    if (first === null) {
      first = pin;
      return words.pin.again;
    }
    const same = first === pin;
    first = null;
    return same ? save(pin) : words.pin.differ;
  });
}
