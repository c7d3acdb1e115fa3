// A sound and a buzz for each verdict, told apart by rhythm: one long rising, three short, two long low.
// A browser may keep silent until somebody has touched the page; then there is no sound and no error.

const RHYTHMS = {
  // [pitch in Hz, start in seconds, length in seconds]
  admit: [[660, 0, 0.15], [990, 0.15, 0.45]],
  refer: [[740, 0, 0.12], [740, 0.22, 0.12], [740, 0.44, 0.12]],
  refuse: [[330, 0, 0.4], [262, 0.55, 0.6]],
};

let context = null;
let open = null;

/** Asks the browser for sound; from a touch it will be granted. */
export function wake(touch) {
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") ask(touch);
  } catch {
    context = null;
  }
}

/** A question stays open until somebody touches the page, and each open one is kept: so only one is, but for touches. */
function ask(touch) {
  const active = Boolean(navigator.userActivation?.hasBeenActive);
  if (open && !touch && (open.active || !active)) return;
  const question = { active };
  open = question;
  const answered = () => {
    if (open === question) open = null;
  };
  context.resume().then(answered, answered);
}

/** Sounds the rhythm of a verdict. */
export function tone(verdict) {
  const notes = RHYTHMS[verdict];
  if (!notes) return;
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(buzz(notes));
  wake();
  if (context?.state !== "running") return;
  for (const [pitch, start, length] of notes) note(pitch, context.currentTime + start, length);
}

function note(pitch, at, length) {
  const source = context.createOscillator();
  const volume = context.createGain();
  source.frequency.value = pitch;
  source.type = "triangle";
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.5, at + 0.01);
  volume.gain.setValueAtTime(0.5, at + length - 0.03);
  volume.gain.linearRampToValueAtTime(0, at + length);
  source.connect(volume).connect(context.destination);
  source.start(at);
  source.stop(at + length);
}

/** The same rhythm for the vibrator: on, off, on … in milliseconds. */
function buzz(notes) {
  const pattern = [];
  let end = 0;
  for (const [, start, length] of notes) {
    if (pattern.length > 0) pattern.push(Math.round((start - end) * 1000));
    pattern.push(Math.round(length * 1000));
    end = start + length;
  }
  return pattern;
}
