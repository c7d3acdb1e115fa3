// What the gate's smaller pages share: their language, and a screen that must be unlocked first.

import { byId, put } from "./dom.js";
import { after, load, remember, textsOf, wanted } from "./lang.js";
import { unlocked } from "./pad.js";
import { ask, stands } from "./session.js";

/** Loads the words, draws, and draws again when the language is changed. Gives what is known of the gate. */
export async function page(draw) {
  const { langs, info } = await about();
  await load(langs);
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
  await ask();
  if (!stands().may_look && !(await unlocked(gate.words))) location.assign("/");
  return gate;
}

/** Which gate this is and what it speaks; everybody may ask that. */
async function about() {
  return fetch("/about.json").then((answer) => answer.json());
}
