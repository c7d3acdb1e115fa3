// From words and values to sentences. The words come from the gate; no text is written here.

/** Fills the blanks of a text: {name} becomes values[name]. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (blank, name) => (name in values ? String(values[name]) : blank));
}

/** Sentences after one another; a Chinese full stop wants no space. */
export function joined(sentences) {
  return sentences.join(" ").replaceAll("。 ", "。");
}

/** What is said under a name. */
export function said(words, name, value) {
  return fill(words.screen.said, { name, value });
}

/** A temperature as it is shown, halves up; what a thermometer says is whole hundredths. */
export function tenths(celsius) {
  return (Math.floor((Math.round(celsius * 100) + 5) / 10) / 10).toFixed(1);
}

/** A point in time of the site: RFC 3339 text → parts on the site's own wall clock. */
function wall(rfc3339, offsetMin) {
  const date = new Date(Date.parse(rfc3339) + offsetMin * 60000);
  const two = (number) => String(number).padStart(2, "0");
  return {
    day: Math.floor(date.getTime() / 86400000),
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    date: date.getUTCDate(),
    time: `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`,
  };
}

/** The time of day, such as 08:05. */
export function timeOfDay(rfc3339, offsetMin) {
  return wall(rfc3339, offsetMin).time;
}

/** A point in time in local words; `now` is null where the clock is not sure, and then no "today" is said. */
export function moment(when, rfc3339, now, offsetMin) {
  const then = wall(rfc3339, offsetMin);
  const today = now === null ? null : wall(now, offsetMin);
  const near = today === null ? null : { "-1": "yesterday", 0: "today", 1: "tomorrow" }[then.day - today.day];
  if (near) return fill(when[near], then);
  const sameYear = today !== null && today.year === then.year;
  const parts = { year: then.year, month: when[`month_${then.month}`], day: then.date, time: then.time };
  return fill(sameYear ? when.date : when.date_year, parts);
}

/** How long ago something was, in local words. */
export function age(when, rfc3339, now) {
  const minutes = Math.floor((Date.parse(now) - Date.parse(rfc3339)) / 60000);
  if (minutes < 1) return when.now;
  if (minutes < 60) return fill(when.minutes, { n: minutes });
  if (minutes < 48 * 60) return fill(when.hours, { n: Math.floor(minutes / 60) });
  return fill(when.days, { n: Math.floor(minutes / 1440) });
}
