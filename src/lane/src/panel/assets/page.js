// What the gate's smaller pages share: their language, and a screen that must be unlocked first.

import { byId, put } from "./dom.js";
import { after, load, remember, textsOf, wanted } from "./lang.js";
import { unlocked } from "./pad.js";
import { ask, get, stands } from "./session.js";

/** How long nobody touches a page until the gate's own face is back. */
const IDLE_MS = 60000;
/** How long a gate that does not answer is left alone. */
const AGAIN_MS = 2000;

/** Loads the words, draws, and draws again when the language is changed. Gives what is known of the gate. */
export async function page(draw) {
  const { langs, info } = await about();
  const gate = { langs, info, lang: null, words: null };
  const choose = (lang) => {
    Object.assign(gate, { lang, words: textsOf(lang) });
    document.documentElement.lang = lang;
    put("lang", textsOf(after(langs, lang)).name);
    draw(gate);
  };
  choose(wanted(langs));
  byId("lang").addEventListener("click", () => {
    const next = after(langs, gate.lang);
    remember(next);
    choose(next);
  });
  await ask().catch(() => {});
  if (!stands().may_look && !(await unlocked(gate.words))) location.assign("/");
  return gate;
}

/** Which gate this is and what it speaks, once its texts are here; everybody may ask that. */
async function about() {
  for (;;) {
    try {
      const known = await get("/about.json").then((answer) => answer.json());
      await load(known.langs);
      return known;
    } catch {
      // A gate that starts again is there in a moment, and this page may be a kiosk's, which nobody reloads.
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

/** Goes back to the gate's face when nobody has touched the page for a while and nothing is going on: whoever comes next
 * looks for that. */
export function goBackWhenIdle(afterMs = IDLE_MS, isBusy = () => false) {
  let idle = null;
  const wait = () => {
    clearTimeout(idle);
    idle = setTimeout(() => (isBusy() ? wait() : location.assign("/")), afterMs);
  };
  for (const touch of ["pointerdown", "keydown", "scroll"]) document.addEventListener(touch, wait, { capture: true, passive: true });
  wait();
}
