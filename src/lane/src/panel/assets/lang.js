// The languages of a gate: their texts, and which of them this screen speaks.

import { get } from "./session.js";

const texts = {};

/** Fetches the texts of all languages, once. */
export async function load(langs) {
  for (const lang of langs) {
    texts[lang] ??= await get(`/words.json?lang=${lang}`).then((answer) => answer.json());
  }
}

/** The texts of a language that was loaded. */
export function textsOf(lang) {
  return texts[lang];
}

/** The language that comes after this one. */
export function after(langs, lang) {
  return langs[(langs.indexOf(lang) + 1) % langs.length];
}

/** The language that the address or an earlier choice asks for, else the first. The gate's other pages, whose address
 * says nothing of it, go on in that of this one. */
export function wanted(langs) {
  const asked = new URLSearchParams(location.search).get("lang");
  if (langs.includes(asked)) remember(asked);
  const wish = asked ?? remembered();
  return langs.includes(wish) ? wish : langs[0];
}

/** Keeps a choice for the next time. */
export function remember(lang) {
  try {
    localStorage.setItem("lang", lang);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

function remembered() {
  try {
    return localStorage.getItem("lang");
  } catch {
    return null;
  }
}
