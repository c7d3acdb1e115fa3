//! Who honours whom, as a table for a terminal and as a page.
//!
//! Rows are hosts (whose gates), columns are issuers (whose passes). A cell says by which of the three official ways,
//! and whether with conditions: fewer kinds of pass, or colours that count as something else. Each is asked of the very
//! function by which gates decide, for every kind and colour: a table that worked out for itself what rules mean would
//! one day say something else than the gates.

use crate::moment;
use menshen_core::ids::IssuerId;
use menshen_core::pass::{Colour, Kind};
use menshen_core::recognition::{Kinds, Path, Recognition, Rule, recognise};
use menshen_core::time::Time;
use menshen_core::trust::{Issuer, TrustList};
use std::collections::BTreeMap;
use std::fmt::Write;

const AS_IS: [Colour; 3] = [Colour::Green, Colour::Yellow, Colour::Red];
const STYLE: &str = "body{font:16px/1.5 sans-serif;margin:1rem}table{border-collapse:collapse}\
th,td{border:1px solid #999;padding:.2rem .4rem;text-align:center}thead th{position:sticky;top:0;background:#fff}\
th[scope=row]{text-align:left;white-space:nowrap;position:sticky;left:0;background:#fff}.own{background:#eee}.some{font-style:italic}\
@media print{body{font-size:9px}}";

/// How passes of an issuer count at gates of a host.
#[derive(Debug, PartialEq, Eq)]
enum Cell {
    /// They are its own.
    Own,
    /// Not at all.
    No,
    /// By these ways; with conditions where some count otherwise than they say, or not, or not all by one way.
    By { paths: Vec<Path>, conditions: bool },
}

impl Cell {
    fn of(list: &TrustList, host: IssuerId, issuer: IssuerId, at: u64) -> Cell {
        let (mut paths, mut conditions) = (Vec::new(), false);
        for (kind, colour) in Kind::ALL.into_iter().flat_map(|kind| AS_IS.map(|colour| (kind, colour))) {
            let rules = &list.content().rules;
            match recognise(rules, host, issuer, kind, Some(colour), Time::trusted(at)) {
                (Recognition::Own, _) => return Cell::Own,
                (Recognition::By(path), local) => {
                    conditions |= local != Some(colour);
                    if !paths.contains(&path) {
                        paths.push(path);
                    }
                }
                (Recognition::No | Recognition::Unknown, _) => conditions = true,
            }
        }
        paths.sort_by_key(|path| *path as u8);
        conditions |= paths.len() > 1;
        if paths.is_empty() { Cell::No } else { Cell::By { paths, conditions } }
    }

    fn mark(&self) -> String {
        match self {
            Cell::Own => "=".to_owned(),
            Cell::No => ".".to_owned(),
            Cell::By { paths, conditions: true } => {
                paths.iter().map(|path| letter(*path).to_ascii_lowercase()).collect()
            }
            Cell::By { paths, conditions: false } => paths.iter().map(|path| letter(*path)).collect(),
        }
    }
}

fn in_force(list: &TrustList, at: u64) -> impl Iterator<Item = &Rule> {
    list.content().rules.iter().filter(move |rule| (rule.valid_from..rule.valid_until).contains(&at))
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

/// The digits of a division code that say which it is.
fn short(id: IssuerId) -> String {
    match id {
        _ if id == id.province() => (id.code() / 10_000).to_string(),
        _ if id == id.city() => (id.code() / 100).to_string(),
        _ => id.to_string(),
    }
}

/// The table for a terminal, as of a moment.
pub(super) fn lines(list: &TrustList, at: u64) -> Vec<String> {
    let columns = columns(list);
    let width = 2 + columns.iter().map(|issuer| short(issuer.id).len()).max().unwrap_or_default().max(3);
    let mut lines = vec![
        "gates of \\ passes of (first digits of the division code)".to_owned(),
        "A agreement  R by the national platform  N national code  = its own  . not honoured; small: with conditions"
            .to_owned(),
    ];
    let heads: String = columns.iter().map(|issuer| format!("{:>width$}", short(issuer.id))).collect();
    lines.push(format!("      {heads}"));
    for host in hosts(list) {
        let cells = columns.iter().map(|issuer| Cell::of(list, host.id, issuer.id, at).mark());
        let cells: String = cells.map(|mark| format!("{mark:>width$}")).collect();
        lines.push(format!("{}{cells}  {}", host.id, host.name_zh));
    }
    lines
}

/// The page, as of a moment.
pub(super) fn page(list: &TrustList, at: u64) -> String {
    let (columns, content) = (columns(list), list.content());
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Recognition 互认</title><style>{STYLE}</style>\
         <h1>Recognition 互认</h1><p>Version {} as of {}, in force at {} (China time). Rows: whose gates 在哪里通行. Columns: whose passes \
         谁的码.<p>A agreement 协议 · R by the national platform 国家平台转换 · N national code 国家码 · = its own 本地 · \
         <i>italic</i> with conditions 有条件<table><thead><tr><td></td>",
        content.version,
        moment::show(content.as_of),
        moment::show(at)
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
            page.push_str(&cell(list, host, issuer, at));
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table>");
    page.push_str(&conditions(list, at));
    page.push_str("</html>\n");
    page
}

/// The rules with conditions, in words: a printed page has no titles to point at.
fn conditions(list: &TrustList, at: u64) -> String {
    let mut by_words: BTreeMap<String, BTreeMap<IssuerId, Vec<String>>> = BTreeMap::new();
    for rule in in_force(list, at).filter(|rule| has_conditions(rule)) {
        by_words.entry(told(rule)).or_default().entry(rule.host).or_default().push(rule.issuer.to_string());
    }
    let mut out = String::from("<h2>With conditions 有条件</h2><ul>");
    for (words, hosts) in by_words {
        write!(out, "<li>{words}<ul>").unwrap_or_default();
        for (host, issuers) in hosts {
            let all = if host == IssuerId::NATIONAL { " (every gate of the country 全国)" } else { "" };
            write!(out, "<li>{host}{all} ← {}</li>", issuers.join(" ")).unwrap_or_default();
        }
        out.push_str("</ul></li>");
    }
    out + "</ul>"
}

fn cell(list: &TrustList, host: &Issuer, issuer: &Issuer, at: u64) -> String {
    let cell = Cell::of(list, host.id, issuer.id, at);
    let class = match &cell {
        Cell::Own => return "<td class=\"own\">=</td>".to_owned(),
        Cell::No => return "<td></td>".to_owned(),
        Cell::By { conditions: true, .. } => " class=\"some\"",
        Cell::By { .. } => "",
    };
    let is_of = |rule: &&Rule| rule.host.covers(host.id) && [issuer.id, issuer.id.province()].contains(&rule.issuer);
    let title: Vec<String> = in_force(list, at).filter(is_of).map(told).collect();
    format!("<td{class} title=\"{}\">{}</td>", title.join("; "), cell.mark().to_ascii_uppercase())
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
