//! The card of a proof as a page to print: black on white, on A5 or A4, with a line to sign.
//!
//! One file without anything from outside, so that it can be carried on a stick to whoever has a printer. Invariant: what a
//! gate or a site file says is text on it, never markup.

use super::doctor::words_of;
use menshen_lane::moment;
use menshen_lane::proof::{Check, Proof, Said, State, said};
use menshen_lane::words::{Lang, Words, fill};
use std::fmt::Write;

const STYLE: &str = "@page{margin:12mm}*{box-sizing:border-box;margin:0}\
body{color:#000;background:#fff;font:8.5pt/1.25 system-ui,'Noto Sans CJK SC','Noto Sans SC',sans-serif}\
article{break-after:page;padding:4mm}article:last-child{break-after:auto}h1{font-size:14pt}\
.facts{font-size:9pt;margin:1mm 0}.verdict{font-size:18pt;font-weight:800;margin:2mm 0}\
ul{padding-left:6mm}table{width:100%;border-collapse:collapse;margin-top:2mm}\
th,td{border-top:.3mm solid #000;padding:.5mm 1.5mm;text-align:left;vertical-align:top}th{width:38%;font-weight:600}\
tr{break-inside:avoid}.sign{display:inline-block;min-width:1.6em;font-weight:800}.remedy{display:block;font-weight:700}\
.message{display:block;font-size:8pt;overflow-wrap:anywhere}.name{display:flex;margin-top:12mm}\
.name span{flex:1;margin-right:8mm;padding-top:1mm;border-top:.3mm solid #000}";

/// One page a card and language.
pub(super) fn page(cards: &[Proof], langs: &[Lang]) -> String {
    let articles: String = cards.iter().flat_map(|card| langs.iter().map(|lang| article(card, *lang))).collect();
    let name = langs.first().map_or("zh", |lang| lang.name());
    format!(
        "<!doctype html>\n<html lang=\"{name}\">\n<head><meta charset=\"utf-8\"><title>Menshen</title><style>{STYLE}</style></head>\n\
         <body>\n{articles}</body>\n</html>\n"
    )
}

fn article(card: &Proof, lang: Lang) -> String {
    let words = words_of(lang);
    let text = |key: &str| escape(words.get(key));
    let at = |moment: &str| moment::parse(moment).map_or_else(|_| moment.to_owned(), moment::show);
    let site = if lang.is_chinese() { &card.site_zh } else { &card.site_en };
    let when = if card.clock == "trusted" { "at" } else { "at_unsure" };
    let trust = card.trust_version.map(|version| {
        let as_of = card.trust_as_of.as_deref().map_or_else(String::new, at);
        fill(words.get("trust_value"), &[("version", &version.to_string()), ("as_of", &as_of)])
    });
    let facts = [
        Some((text("site"), site.clone())),
        Some((text("lane"), card.lane.to_string())),
        Some((text(when), at(&card.at))),
        card.gate.clone().map(|gate| (text("gate"), gate)),
        trust.map(|trust| (text("trust"), trust)),
        Some((text("program"), card.program.clone())),
    ];
    let facts: Vec<String> =
        facts.into_iter().flatten().map(|(name, value)| format!("{name} {}", escape(&value))).collect();
    let number = escape(&fill(words.get("number"), &[("n", &card.number.to_string())]));
    let (sign, verdict) = if card.ready { (State::Ok, "ready") } else { (State::Failed, "not_ready") };
    format!(
        "<article lang=\"{lang}\">\n<h1>{title}</h1>\n<p class=\"facts\">{facts} · {number}</p>\n\
         <p class=\"verdict\">{sign} {verdict}</p>\n{because}<table>\n{rows}</table>\n\
         <p class=\"name\"><span>{signature}</span><span>{date}</span></p>\n</article>\n",
        lang = lang.name(),
        title = text("title"),
        facts = facts.join(" · "),
        sign = sign.sign(),
        verdict = text(verdict),
        because = because(card, lang),
        rows = card.checks.iter().map(|check| row(check, lang)).collect::<String>(),
        signature = text("signature"),
        date = text("date"),
    )
}

/// What keeps the shift from beginning, each with what helps.
fn because(card: &Proof, lang: Lang) -> String {
    let mut list = String::new();
    for check in card.checks.iter().filter(|check| check.state == State::Failed) {
        let words = Words::of(lang);
        let told = said(words, check);
        let line = told.line(words);
        let remedy =
            told.remedy.map_or_else(String::new, |remedy| format!("<span class=\"remedy\">{}</span>", escape(&remedy)));
        // Writing to a text does not fail.
        let _ = writeln!(list, "<li>{}{remedy}</li>", escape(&line));
    }
    if list.is_empty() { list } else { format!("<ul>\n{list}</ul>\n") }
}

fn row(check: &Check, lang: Lang) -> String {
    let Said { name, say, .. } = said(Words::of(lang), check);
    let message = check.message.as_deref();
    let message =
        message.map_or_else(String::new, |message| format!("<span class=\"message\">{}</span>", escape(message)));
    format!(
        "<tr><th>{}</th><td><span class=\"sign\">{}</span>{}{message}</td></tr>\n",
        escape(&name),
        check.state.sign(),
        escape(&say)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use menshen_lane::proof::Finding;

    #[test]
    fn what_others_wrote_is_text_on_the_page_and_every_reason_has_its_remedy() {
        let card = Proof {
            format: 1,
            number: 3,
            ready: false,
            at: "2020-03-01T00:00:00Z".into(),
            clock: "trusted".into(),
            took_ms: 2000,
            gate: None,
            site_zh: "<b>东门</b>".into(),
            site_en: "East & West".into(),
            lane: 1,
            trust_version: Some(7),
            trust_as_of: Some("2020-02-29T00:00:00Z".into()),
            program: "0.1.0".into(),
            checks: vec![Check::of(Finding::CameraFailed).because("<script>alert(1)</script>")],
        };
        let page = page(&[card], &[Lang::default(), Lang::parse("en").expect("it is spoken")]);
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        assert!(
            page.contains("&lt;script&gt;") && page.contains("East &amp; West") && page.contains("2020-03-01 08:00")
        );
        for lang in ["zh", "en"] {
            let remedy = Words::of(Lang::parse(lang).expect("it is spoken")).proof_check("camera", "failed_remedy");
            assert!(page.contains(remedy.expect("there is one")), "{lang}");
        }
    }
}
