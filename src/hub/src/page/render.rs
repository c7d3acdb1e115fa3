//! From gates and records to HTML. Pure: the same values give the same page.
//!
//! A verdict is shown by shape, word and colour, so that it reaches those who do not tell colours apart.

use super::html::{Esc, frame};
use super::words::Lang;
use crate::refusal::Refusal;
use crate::store::{Gate, Held};
use jiff::Timestamp;
use jiff::tz::Offset;
use menshen_core::decide::Verdict;
use menshen_core::record::{Body, Record, Scan, Tried};
use menshen_core::time::{Confidence, Time};

/// A gate that was not seen for so long is shown as quiet, in seconds.
const QUIET_AFTER_S: u64 = 300;
/// China has one time, UTC+8, all year.
const BEIJING: Offset = Offset::constant(8);

/// All gates.
pub(crate) fn fleet(lang: Lang, gates: &[Gate], now_unix_s: u64) -> String {
    let records: u64 = gates.iter().map(|gate| gate.records).sum();
    let title = lang.pick("查验点", "Gates");
    let lead = match lang {
        Lang::Zh => format!("{} 个查验点 · {records} 条记录 · 北京时间", gates.len()),
        Lang::En => format!("Gates: {} · Records: {records} · Beijing time (UTC+8)", gates.len()),
    };
    let list = match gates {
        [] => format!("<p class=\"empty\">{}</p>", no_gates(lang)),
        gates => {
            let items: String = gates.iter().map(|gate| fleet_item(lang, gate, now_unix_s)).collect();
            format!("<ul class=\"gates\">{items}</ul>")
        }
    };
    frame(lang, title, &format!("<h1>{title}</h1><p class=\"lead\">{lead}</p>{list}"))
}

/// One gate and its last records, newest first.
pub(crate) fn gate(lang: Lang, gate: &Gate, records: &[Held], now_unix_s: u64) -> String {
    let columns = [
        ("number", lang.pick("序号", "No.")),
        ("", lang.pick("结论", "Verdict")),
        ("", lang.pick("原因", "Reasons")),
        ("", lang.pick("码", "Pass")),
        ("", lang.pick("体温", "Reading")),
        ("", lang.pick("时间", "Time")),
    ];
    let head: String = columns.iter().map(|(class, name)| format!("<th class=\"{class}\">{name}</th>")).collect();
    let rows: String = records.iter().map(|held| row(lang, held)).collect();
    let table = match records {
        [] => format!("<p class=\"empty\">{}</p>", no_records(lang)),
        _ => format!("<div class=\"sheet\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"),
    };
    let main = format!("<h1><bdi>{}</bdi></h1>{}{table}", Esc(&gate.label), facts(lang, gate, now_unix_s));
    frame(lang, &gate.label, &main)
}

/// What went wrong instead of a page.
pub(crate) fn refused(lang: Lang, refusal: &Refusal) -> String {
    let title = lang.pick("无法显示", "Nothing to show");
    let text = match (lang, refusal) {
        (Lang::Zh, Refusal::Store) => "汇聚中心的存储暂时不可用，请稍后再看。".to_owned(),
        (Lang::Zh, _) => "这里没有此查验点，请从查验点列表进入。".to_owned(),
        (Lang::En, Refusal::Store) => "The hub's store does not answer at present; look again later.".to_owned(),
        (Lang::En, _) => "There is no such gate here; choose one from the list of gates.".to_owned(),
    };
    frame(lang, title, &format!("<h1>{title}</h1><p class=\"empty\">{}</p>", Esc(text)))
}

fn no_gates(lang: Lang) -> &'static str {
    lang.pick(
        "还没有查验点登记。请在查验点上用本中心的登记口令登记。",
        "No gate is enrolled yet. Enrol one with this hub's enrolment token.",
    )
}

fn no_records(lang: Lang) -> &'static str {
    lang.pick("还没有记录", "No records yet")
}

fn fleet_item(lang: Lang, gate: &Gate, now_unix_s: u64) -> String {
    let none = || format!("<p class=\"soft\">{}</p>", no_records(lang));
    let last = gate.last.as_ref().map_or_else(none, |held| last(lang, held));
    format!(
        "<li class=\"gate\"><div><h2><a href=\"/gates/{id}?lang={tag}\"><bdi>{label}</bdi></a></h2>\
         <p class=\"soft id\">{id}</p>{seen}</div><div class=\"last\">{last}</div>\
         <p class=\"count\"><strong>{records}</strong><span class=\"soft small\">{word}{place}</span></p></li>",
        id = gate.id,
        tag = lang.tag(),
        label = Esc(&gate.label),
        seen = seen(lang, gate, now_unix_s),
        records = gate.records,
        word = lang.pick("条记录", "records"),
        place = place(lang, gate),
    )
}

fn seen(lang: Lang, gate: &Gate, now_unix_s: u64) -> String {
    let age_s = now_unix_s.saturating_sub(gate.last_seen);
    let (class, word) = if age_s < QUIET_AFTER_S {
        ("seen", lang.pick("最近联系", "seen"))
    } else {
        ("quiet", lang.pick("久未联系", "quiet, seen"))
    };
    format!("<p class=\"small {class}\">{word} {}</p>", lang.ago(age_s))
}

fn place(lang: Lang, gate: &Gate) -> String {
    let Some(last) = &gate.last else { return String::new() };
    let (epoch, through) = (last.epoch.0, last.seq.0);
    match lang {
        Lang::Zh => format!("<br>第 {epoch} 期至 {through}"),
        Lang::En => format!("<br>epoch {epoch} through {through}"),
    }
}

fn last(lang: Lang, held: &Held) -> String {
    let Ok(record) = Record::from_bytes(&held.bytes) else { return String::new() };
    let reasons = match &record.body {
        Body::Scan(scan) => reasons(lang, scan),
        Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => told(lang, &record.body),
    };
    format!(
        "<p>{}</p><p>{reasons}</p><p class=\"soft small\">{}</p>",
        verdict(lang, &record.body),
        when(lang, record.time)
    )
}

fn facts(lang: Lang, gate: &Gate, now_unix_s: u64) -> String {
    let epoch = gate.last.as_ref().map_or("–".to_owned(), |last| last.epoch.0.to_string());
    let through = gate.last.as_ref().map_or("–".to_owned(), |last| last.seq.0.to_string());
    let fact = |name: &str, value: &str| format!("<div><dt>{name}</dt><dd>{value}</dd></div>");
    format!(
        "<p class=\"lead id\">{}</p><dl class=\"facts\">{}{}{}{}{}</dl>",
        gate.id,
        fact(lang.pick("最近联系", "Seen"), &lang.ago(now_unix_s.saturating_sub(gate.last_seen))),
        fact(lang.pick("记录", "Records"), &gate.records.to_string()),
        fact(lang.pick("期", "Epoch"), &epoch),
        fact(lang.pick("收至", "Through"), &through),
        fact(lang.pick("登记于", "Enrolled"), &date_time(gate.enrolled_at)),
    )
}

fn row(lang: Lang, held: &Held) -> String {
    let Ok(record) = Record::from_bytes(&held.bytes) else {
        // Nothing gets into a store unread: the disk changed it.
        let word = lang.pick("记录已损坏，请检查磁盘", "damaged on disk: check it");
        return format!("<tr><td class=\"number\">{}</td><td colspan=\"5\">{word}</td></tr>", held.seq.0);
    };
    let (why, pass, reading) = match &record.body {
        Body::Scan(scan) => (reasons(lang, scan), pass(lang, scan), reading(scan)),
        Body::Loss { .. } | Body::Alarm(_) | Body::Tried(_) => (told(lang, &record.body), String::new(), String::new()),
    };
    format!(
        "<tr><td class=\"number\">{seq}</td><td class=\"what\">{verdict}</td><td class=\"why\">{why}</td>\
         <td class=\"pass\">{pass}</td><td class=\"reading\">{reading}</td><td class=\"when\">{when}</td></tr>",
        seq = held.seq.0,
        verdict = verdict(lang, &record.body),
        when = when(lang, record.time),
    )
}

fn verdict(lang: Lang, body: &Body) -> String {
    let (class, word, shape) = match body {
        Body::Scan(Scan { verdict, .. }) => (verdict.name(), lang.verdict(*verdict), shape(*verdict)),
        Body::Alarm(_) => ("loss", lang.pick("消防警报", "Fire alarm"), LOSS),
        Body::Tried(_) => ("loss", lang.pick("试通道", "Relay tried"), LOSS),
        Body::Loss { .. } => ("loss", lang.pick("记录缺失", "Lost records"), LOSS),
    };
    format!(
        "<span class=\"verdict {class}\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\" fill=\"none\" \
         stroke=\"currentColor\" stroke-width=\"2.6\" stroke-linecap=\"round\" stroke-linejoin=\"round\">{shape}</svg>\
         {word}</span>"
    )
}

const LOSS: &str = "<circle cx=\"12\" cy=\"12\" r=\"10\" stroke-dasharray=\"4 4\"/>";

fn shape(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Admit => "<circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"M7 12.5l3.5 3.5L17 9\"/>",
        Verdict::Refer => "<path d=\"M12 2.5L22.5 21h-21z\"/><path d=\"M12 9.5v5M12 17.8v.1\"/>",
        Verdict::Refuse => "<path d=\"M8 2h8l6 6v8l-6 6H8l-6-6V8z\"/><path d=\"M8.5 8.5l7 7M15.5 8.5l-7 7\"/>",
    }
}

fn reasons(lang: Lang, scan: &Scan) -> String {
    let words: Vec<_> = scan.reasons.iter().map(|reason| lang.reason(*reason)).collect();
    words.join(lang.pick("、", ", "))
}

/// What is said of a record that is nobody's.
fn told(lang: Lang, body: &Body) -> String {
    match (body, lang) {
        (Body::Scan(_), _) => String::new(),
        (Body::Alarm(true), _) => {
            lang.pick("消防警报开始，通道常开", "the fire alarm began to hold the way open").into()
        }
        (Body::Alarm(false), _) => lang.pick("消防警报结束", "the fire alarm ended").into(),
        (Body::Tried(Tried::Relay), _) => lang
            .pick("试了一次继电器，没有查验任何人", "the relay was tried for one pulse; nobody was decided about")
            .into(),
        (Body::Loss { epoch, from, through }, Lang::Zh) => {
            format!("查验点丢失了第 {} 期的记录 {} 至 {}", epoch.0, from.0, through.0)
        }
        (Body::Loss { epoch, from, through }, Lang::En) => {
            format!("the gate lost records {} to {} of epoch {}", from.0, through.0, epoch.0)
        }
    }
}

fn pass(lang: Lang, scan: &Scan) -> String {
    let colour = scan.colour.map(|colour| format!("<i class=\"dot {}\"></i>{}", colour.name(), lang.colour(colour)));
    let issuer = scan.issuer.map(|issuer| format!("<span class=\"issuer\">{issuer}</span>"));
    [colour, issuer].into_iter().flatten().collect()
}

fn reading(scan: &Scan) -> String {
    scan.reading.map_or(String::new(), |reading| {
        let centi = i32::from(reading.temp_centi_c);
        let sign = if centi < 0 { "−" } else { "" };
        format!("{sign}{}.{:02}&nbsp;°C", centi.abs() / 100, centi.abs() % 100)
    })
}

fn when(lang: Lang, time: Time) -> String {
    let text = date_time(time.unix_s);
    match time.confidence {
        Confidence::Trusted => text,
        Confidence::Floor => {
            let word = lang.pick("时钟不可信，不早于此时", "at the earliest: clock untrusted");
            format!("{text}<br><span class=\"soft small\">{word}</span>")
        }
    }
}

fn date_time(unix_s: u64) -> String {
    let timestamp = i64::try_from(unix_s).ok().and_then(|second| Timestamp::from_second(second).ok());
    timestamp.map_or_else(
        || format!("{unix_s} s"),
        |timestamp| BEIJING.to_datetime(timestamp).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}
