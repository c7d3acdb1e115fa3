// What is heard at each screen: its rhythm, then its sentence, in the language of this page or in those of the site.
//
// The newest screen is heard and no other: a sentence of the one before belongs to somebody who has gone. How loud it
// is, what is said and in which languages the gate decides. A screen of the gate itself keeps silent while the gate has a
// loudspeaker that works: nothing is said twice.

import { beat, buzz, decode, hush, isAwake, play, setVolume } from "./tone.js";

/** A sound that begins later than this is no answer any more. */
const LATE_MS = 1500;
/** Between the rhythm and what is said, and between two languages, in seconds. */
const PAUSE_S = 0.12;

const OWN = ["localhost", "127.0.0.1", "[::1]"];

const clips = new Map();
let rhythms = null;
let now = null;
/** Counts the screens: what was fetched for an older one is not played. */
let turn = 0;

/** What the gate says of how loud it is and what is spoken. */
export function setSound(sound) {
  now = sound;
  setVolume(isSilent() ? 0 : sound.volume_percent);
  if (isSilent()) hush();
  rhythms ?? loadRhythms();
}

async function loadRhythms() {
  try {
    rhythms = (await fetch("/sound.json").then((answer) => answer.json())).rhythms;
  } catch {
    // The next word of the gate asks again.
  }
}

function isSilent() {
  return now.volume_percent === 0 || (now.loudspeaker && OWN.includes(location.hostname));
}

/** The languages to speak: all of the site's where it names more than one, else this page's, if that speaks. */
function langsOf(lang) {
  if (now.langs.length > 1) return now.langs;
  return now.speaks.includes(lang) ? [lang] : now.langs;
}

/** Sounds a screen that has just come, `age_ms` ago. */
export function sound({ kind, cue, speech, age_ms }, lang) {
  turn += 1;
  // The last sentence to somebody may be finished while nobody else is there.
  if (kind === "idle") return;
  hush();
  if (!now || age_ms >= LATE_MS) return;
  const beats = rhythms?.[cue] ?? [];
  if (beats.length > 0 && !isSilent()) buzz(beats);
  if (isSilent() || !isAwake()) return;
  const over = beat(beats);
  const isSpoken = now.speech && speech && (now.say_admit || speech !== "admit");
  if (isSpoken) say(langsOf(lang), speech, over + (beats.length > 0 ? PAUSE_S : 0));
}

async function say(langs, key, at) {
  const mine = turn;
  try {
    const loaded = await Promise.all(langs.map((lang) => clip(lang, key)));
    for (const one of loaded) {
      // Somebody else is there by now.
      if (mine !== turn) return;
      at = play(one, at) + PAUSE_S;
    }
  } catch {
    // A clip that does not come is not waited for: the screen says the same.
  }
}

/** A clip, fetched and read once. */
function clip(lang, key) {
  const address = `/speech/${lang}/${key}?v=${now.version}`;
  if (!clips.has(address)) {
    const read = fetch(address)
      .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(answer.status)))
      .then(decode);
    read.catch(() => clips.delete(address));
    clips.set(address, read);
  }
  return clips.get(address);
}
