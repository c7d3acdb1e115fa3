// The sound of this page: rhythms and clips, as loud as the gate says, the newest one only.
//
// The rhythms come from the gate, as do the clips; none is written here. A browser may keep silent until somebody has
// touched the page; then there is no sound and no error.

let context = null;
let open = null;
let master = null;
let gain = 1;
let playing = [];

/** Asks the browser for sound; from a touch it will be granted. */
export function wake(touch) {
  try {
    context ??= new AudioContext();
    if (!master) {
      master = context.createGain();
      master.gain.value = gain;
      master.connect(context.destination);
    }
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

/** Whether a sound would be heard now. */
export function isAwake() {
  wake();
  return context?.state === "running";
}

/** How loud it is from now on, in hundredths. Hearing is not linear: half of it is to sound like half. */
export function setVolume(percent) {
  gain = (percent / 100) ** 2;
  if (master) master.gain.value = gain;
}

/** Ends whatever sounds. */
export function hush() {
  for (const source of playing) {
    try {
      source.stop();
    } catch {
      // It has not begun, or has ended.
    }
    source.disconnect();
  }
  playing = [];
}

/** Sounds beats; gives when the last one is over, on the clock of `play`. */
export function beat(beats) {
  let at = context.currentTime;
  for (const { on_ms, off_ms, hz } of beats) {
    note(hz, at, on_ms / 1000);
    at += (on_ms + off_ms) / 1000;
  }
  return at;
}

function note(pitch, at, length) {
  const source = context.createOscillator();
  const volume = context.createGain();
  source.frequency.value = pitch;
  source.type = "triangle";
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.6, at + 0.006);
  volume.gain.setValueAtTime(0.6, at + length - 0.006);
  volume.gain.linearRampToValueAtTime(0, at + length);
  source.connect(volume).connect(master);
  source.start(at);
  source.stop(at + length);
  playing.push(source);
}

/** Reads a clip. */
export function decode(bytes) {
  return context.decodeAudioData(bytes);
}

/** Plays a clip at a time or at once, if that has passed; gives when it is over. */
export function play(clip, at) {
  const source = context.createBufferSource();
  const from = Math.max(at, context.currentTime);
  source.buffer = clip;
  source.connect(master);
  source.start(from);
  playing.push(source);
  return from + clip.duration;
}

/** The same rhythm for the vibrator: on, off, on … in milliseconds. */
export function buzz(beats) {
  if (!navigator.userActivation?.hasBeenActive) return;
  navigator.vibrate?.(beats.flatMap(({ on_ms, off_ms }) => [on_ms, off_ms]));
}
