//! Who honours whom, as a table for a terminal and as a page.
//!
//! Rows are hosts (whose gates), columns are issuers (whose passes). A cell says by which of the three official ways,
//! and whether with conditions: fewer kinds of pass, or colours that count as something else.

use crate::moment;
use menshen_core::ids::IssuerId;
use menshen_core::pass::{Colour, Kind};
use menshen_core::recognition::{Kinds, Path, Rule};
use menshen_core::trust::{Issuer, TrustList};
use std::collections::BTreeMap;
use std::fmt::Write;

const AS_IS: [Colour; 3] = [Colour::Green, Colour::Yellow, Colour::Red];
const STYLE: &str = "body{font:16px/1.5 sans-serif;margin:1rem}table{border-collapse:collapse}\
th,td{border:1px solid #999;padding:.2rem .4rem;text-align:center}thead th{position:sticky;top:0;background:#fff}\
th[scope=row]{text-align:left;white-space:nowrap;position:sticky;left:0;background:#fff}.own{background:#eee}.some{font-style:italic}\
@media print{body{font-size:9px}}";

/// The rules of a host for an issuer.
fn rules(list: &TrustList, host: IssuerId, issuer: IssuerId) -> impl Iterator<Item = &Rule> {
    list.content().rules.iter().filter(move |rule| rule.host == host && rule.issuer == issuer)
}

fn hosts(list: &TrustList) -> Vec<&Issuer> {
    let is_host = |issuer: &&Issuer| issuer.id == issuer.id.province() && issuer.id != IssuerId::NATIONAL;
    list.content().issuers.iter().filter(is_host).collect()
}

/// The issuers that have a column: the nation, provinces, and cities that have rules of their own.
fn columns(list: &TrustList) -> Vec<&Issuer> {
    let has_rule = |issuer: &Issuer| list.content().rules.iter().any(|rule| rule.issuer == issuer.id);
    let issuers = list.content().issuers.iter();
    issuers.filter(|issuer| issuer.id == issuer.id.province() || has_rule(issuer)).collect()
}

const fn letter(path: Path) -> char {
    match path {
        Path::Agreement => 'A',
        Path::Relay => 'R',
        Path::National => 'N',
    }
}

fn has_conditions(rule: &Rule) -> bool {
    rule.kinds != Kinds::all() || rule.treat != AS_IS
}

/// The table for a terminal.
pub(super) fn lines(list: &TrustList) -> Vec<String> {
    let columns = columns(list);
    let short = |id: IssuerId| if id == id.province() { id.code() / 10_000 } else { id.code() / 100 };
    let mut lines = vec![
        "gates of \\ passes of (first digits of the division code)".to_owned(),
        "A agreement  R by the national platform  N national code  = its own  . not honoured; small: with conditions"
            .to_owned(),
    ];
    let heads: Vec<String> = columns.iter().map(|issuer| format!("{:>4}", short(issuer.id))).collect();
    lines.push(format!("      {}", heads.concat()));
    for host in hosts(list) {
        let mut line = host.id.to_string();
        for issuer in &columns {
            let mark = match rules(list, host.id, issuer.id).next() {
                _ if issuer.id.province() == host.id => '=',
                None => '.',
                Some(rule) if has_conditions(rule) => letter(rule.path).to_ascii_lowercase(),
                Some(rule) => letter(rule.path),
            };
            write!(line, "{mark:>4}").unwrap_or_default();
        }
        lines.push(format!("{line}  {}", host.name_zh));
    }
    lines
}

/// The page.
pub(super) fn page(list: &TrustList) -> String {
    let (columns, content) = (columns(list), list.content());
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Recognition 互认</title><style>{STYLE}</style>\
         <h1>Recognition 互认</h1><p>Version {} as of {} (China time). Rows: whose gates 在哪里通行. Columns: whose passes \
         谁的码.<p>A agreement 协议 · R by the national platform 国家平台转换 · N national code 国家码 · = its own 本地 · \
         <i>italic</i> with conditions 有条件<table><thead><tr><td></td>",
        content.version,
        moment::show(content.as_of)
    );
    for issuer in &columns {
        let Issuer { id, name_zh, name_en, .. } = issuer;
        write!(page, "<th scope=\"col\" title=\"{}\">{id}<br>{}</th>", escaped(name_en), escaped(name_zh))
            .unwrap_or_default();
    }
    page.push_str("</tr></thead><tbody>");
    for host in hosts(list) {
        let Issuer { id, name_zh, name_en, .. } = host;
        write!(page, "<tr><th scope=\"row\">{id} {} / {}</th>", escaped(name_zh), escaped(name_en)).unwrap_or_default();
        for issuer in &columns {
            page.push_str(&cell(list, host, issuer));
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table>");
    page.push_str(&conditions(list));
    page.push_str("</html>\n");
    page
}

/// The rules with conditions, in words: a printed page has no titles to point at.
fn conditions(list: &TrustList) -> String {
    let mut by_words: BTreeMap<String, BTreeMap<IssuerId, Vec<String>>> = BTreeMap::new();
    for rule in list.content().rules.iter().filter(|rule| has_conditions(rule)) {
        by_words.entry(told(rule)).or_default().entry(rule.host).or_default().push(rule.issuer.to_string());
    }
    let mut out = String::from("<h2>With conditions 有条件</h2><ul>");
    for (words, hosts) in by_words {
        write!(out, "<li>{words}<ul>").unwrap_or_default();
        for (host, issuers) in hosts {
            write!(out, "<li>{host} ← {}</li>", issuers.join(" ")).unwrap_or_default();
        }
        out.push_str("</ul></li>");
    }
    out + "</ul>"
}

fn cell(list: &TrustList, host: &Issuer, issuer: &Issuer) -> String {
    if issuer.id.province() == host.id {
        return "<td class=\"own\">=</td>".to_owned();
    }
    let found: Vec<&Rule> = rules(list, host.id, issuer.id).collect();
    let (Some(first), title) = (found.first(), found.iter().map(|rule| told(rule)).collect::<Vec<_>>().join("; "))
    else {
        return "<td></td>".to_owned();
    };
    let class = if has_conditions(first) { " class=\"some\"" } else { "" };
    let letters: String = found.iter().map(|rule| letter(rule.path)).collect();
    format!("<td{class} title=\"{title}\">{letters}</td>")
}

/// A rule in words.
fn told(rule: &Rule) -> String {
    let kinds: Vec<&str> = Kind::ALL.into_iter().filter(|kind| rule.kinds.has(*kind)).map(Kind::name).collect();
    let kinds = if rule.kinds == Kinds::all() { "all kinds".to_owned() } else { kinds.join(", ") };
    let changed = AS_IS.into_iter().zip(rule.treat).filter(|(of, to)| of != to);
    let changed: Vec<String> = changed.map(|(of, to)| format!("{} counts as {}", of.name(), to.name())).collect();
    let colours = if changed.is_empty() { "colours as they are".to_owned() } else { changed.join(", ") };
    let (from, until) = (moment::show(rule.valid_from), moment::show(rule.valid_until));
    format!("{}, {from} – {until}, {kinds}, {colours}", rule.path.name())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
