// The pad on which a PIN is typed: large keys, no digit shown, over whatever page it is opened on.

import { make } from "./dom.js";
import { fill } from "./say.js";
import { ask, stands, unlock } from "./session.js";

const FEWEST = 6;
const MOST = 12;
/** A pad at which nobody types is in the way of what the gate has to say. */
const IDLE_MS = 30000;
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
    pad = { dialog, dots, say, words, take, typed: "", busy: false, done, idle: null };
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
    // Whoever types on a keyboard ends with Enter.
    dialog.querySelector(".ok").focus();
    wait();
    write();
  });
}

function close(result) {
  if (!pad) return;
  const { dialog, done, idle } = pad;
  pad = null;
  clearTimeout(idle);
  dialog.close();
  dialog.remove();
  done(result);
}

function wait() {
  clearTimeout(pad.idle);
  pad.idle = setTimeout(() => close(false), IDLE_MS);
}

function write(said) {
  pad.dots.textContent = "●".repeat(pad.typed.length);
  pad.dots.setAttribute("aria-label", fill(pad.words.pin.typed, { n: pad.typed.length }));
  if (said !== undefined) pad.say.textContent = said;
}

async function press(key) {
  const open = pad;
  if (!open || open.busy) return;
  wait();
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

/** Something is to be seen that a pad may not cover. */
export const closePad = () => close(false);

/** Opens the pad until this screen is unlocked; false if that was given up, or the gate does not answer. */
export async function unlocked(words) {
  try {
    await ask();
  } catch {
    return false;
  }
  if (stands().act !== null) return true;
  if (!stands().has_pin) return false;
  return open(words, words.pin.title, (pin) => tried(words, pin));
}

/** Tries a PIN; gives null where it is right, else what to say. */
async function tried(words, pin) {
  const outcome = await unlock(pin);
  if (outcome === "open") return null;
  if (stands().wait_s > 0) return fill(words.pin.wait, { n: stands().wait_s });
  return outcome === "wrong" ? words.pin.wrong : words.pin.failed;
}

/** Has the PIN typed that there is, where there is one, and a new one twice, and hands both to `save`, which gives null,
 * or what to say; false if that was given up. */
export async function newPin(words, save) {
  let [old, first] = [null, null];
  const hasOld = stands().has_pin;
  return open(words, hasOld ? words.pin.old : words.pin.new, async (pin) => {
    if (hasOld && old === null) {
      const said = await tried(words, pin);
      if (said !== null) return said;
      old = pin;
      return words.pin.new;
    }
    if (first === null) {
      first = pin;
      return words.pin.again;
    }
    const same = first === pin;
    first = null;
    return same ? save(old, pin) : words.pin.differ;
  });
}
