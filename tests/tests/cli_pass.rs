//! `menshen pass`: issuing one and hundreds, explaining every field, and printing sheets.

use ed25519_dalek::SigningKey;
use image::GenericImageView;
use menshen::authority::Authority;
use menshen_core::ids::IssuerId;
use menshen_core::pass::{Kind, MAX_QR_TEXT};
use menshen_lane::words::{Field, Lang, Words};
use menshen_tests::cli::{Desk, NOW, Ran, names};
use std::fs;

const HEADER: &str = "issuer,colour,kind,name,id_tail,holder\n";
/// Every word of `pass issue` that puts a field into the pass.
const ALL_FIELDS: [&str; 19] = [
    "--kind=community",
    "--colour",
    "red",
    "--name",
    "张*",
    "--id-tail",
    "123X",
    "--not-before",
    "2020-03-02",
    "--colour-reason",
    "3",
    "--until",
    "2020-03-15",
    "--test-at",
    "2020-02-28T09:30",
    "--test-result=negative",
    "--household=7-2-301",
    "--holder",
    "h1",
];

fn rows(count: usize) -> String {
    let kinds = ["paper", "dependent", "community"];
    let rows = (0..count).map(|n| format!("330100,green,{},张*{},{n:04},holder {n}\n", kinds[n % 3], n % 10));
    HEADER.chars().chain(rows.collect::<String>().chars()).collect()
}

/// A desk where `passes.csv` holds the payloads of that many people.
fn desk_with_passes(count: usize) -> (Desk, Vec<String>) {
    let desk = Desk::new();
    fs::write(desk.path("people.csv"), rows(count)).expect("the desk is writable");
    let ran = issue_csv(&desk).ends(0);
    assert!(ran.stdout.contains(&format!("{count} passes")), "{ran:#?}");
    let out = fs::read_to_string(desk.path("passes.csv")).expect("the passes are there");
    let payloads: Vec<String> =
        out.lines().skip(1).filter_map(|line| line.split_once("MS1:")).map(|(_, rest)| format!("MS1:{rest}")).collect();
    (desk, payloads.iter().map(|payload| payload.trim_end_matches('"').to_owned()).collect())
}

fn issue_csv(desk: &Desk) -> Ran {
    desk.menshen(["pass", "issue", "--at", NOW, "--csv", "people.csv", "--out-csv", "passes.csv"])
}

/// The pages that a PDF says it has.
fn pages(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    let count = text.split("/Count ").nth(1).expect("a PDF has a page tree");
    count.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).expect("a number")
}

#[test]
fn three_hundred_rows_become_as_many_different_passes_in_order() {
    let (desk, payloads) = desk_with_passes(300);
    assert_eq!(payloads.len(), 300);
    assert_eq!(payloads.iter().collect::<std::collections::BTreeSet<_>>().len(), 300);
    for n in [0, 17, 299] {
        let ran = desk.menshen(["pass", "inspect", "--json", &payloads[n]]).ends(0);
        let line = &ran.json()[0];
        assert_eq!(line["signature"], "genuine");
        assert_eq!(line["claims"]["display"]["id_tail"], format!("{n:04}"));
    }
    let out = fs::read_to_string(desk.path("passes.csv")).expect("the passes are there");
    assert!(out.starts_with("issuer,colour,kind,name,id_tail,holder,payload\n"), "{}", &out[..80]);
}

#[test]
fn hundreds_of_passes_are_printed_eight_or_two_a_page() {
    let (desk, _) = desk_with_passes(300);
    for (per_page, expected) in [("8", 38), ("2", 150)] {
        let ran = desk.menshen(["pass", "sheet", "passes.csv", "--out", "sheet.pdf", "--per-page", per_page]).ends(0);
        assert_eq!(ran.stderr, "", "no progress bar in a pipe");
        let pdf = fs::read(desk.path("sheet.pdf")).expect("the sheet is there");
        assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
        assert_eq!(pages(&pdf), expected);
    }
}

#[test]
fn a_folder_gets_one_picture_a_pass_which_says_its_payload() {
    let (desk, payloads) = desk_with_passes(3);
    desk.menshen(["pass", "sheet", "passes.csv", "--out", "cards"]).ends(0);
    let mut found: Vec<_> = fs::read_dir(desk.path("cards")).expect("the folder is there").flatten().collect();
    found.sort_by_key(std::fs::DirEntry::file_name);
    assert_eq!(found.len(), 3);
    for (entry, payload) in found.iter().zip(&payloads) {
        assert_eq!(desk.menshen([&"decode".into(), &entry.path()]).ends(0).stdout, format!("{payload}\n"));
    }
}

#[test]
fn a_bad_row_is_named_by_its_line_and_nothing_is_written() {
    let bad = [
        ("330000,purple,paper,,,", "purple"),
        ("33,green,paper,,,", "33"),
        ("990000,green,paper,,,", "990000"),
        ("330000,green,papyrus,,,", "papyrus"),
        ("330000,green,paper,张*三,12345,", "12345"),
        ("330000,green,paper", "line"),
        ("x,green,paper,,,", "line"),
    ];
    for (row, named) in bad {
        let desk = Desk::new();
        fs::write(desk.path("people.csv"), format!("{}{row}\n", rows(5))).expect("the desk is writable");
        let ran = issue_csv(&desk).ends(2);
        let sentence = ran.sentence();
        assert!(
            sentence.contains("people.csv") && sentence.contains("line 7") || sentence.contains("line: 7"),
            "{row}: {sentence}"
        );
        assert!(sentence.contains(named), "{row}: {sentence}");
        assert!(!desk.path("passes.csv").exists(), "{row}");
    }
}

#[test]
fn a_list_of_nobody_is_refused() {
    for nobody in ["", HEADER] {
        let desk = Desk::new();
        fs::write(desk.path("people.csv"), nobody).expect("the desk is writable");
        assert!(issue_csv(&desk).ends(2).sentence().contains("people.csv has no row"));
        assert!(!desk.path("passes.csv").exists());
    }
}

#[test]
fn a_list_that_an_office_program_saved_is_issued() {
    let desk = Desk::new();
    let saved = "\u{feff}issuer,colour,kind,name\r\n330000,green,paper,\"张*三\"\r\n";
    fs::write(desk.path("people.csv"), saved).expect("the desk is writable");
    issue_csv(&desk).ends(0);
}

#[test]
fn a_list_in_another_encoding_is_told_to_be_saved_in_utf_8() {
    let desk = Desk::new();
    let gbk = [b"issuer,colour,kind,name\n330000,green,paper,".as_slice(), &[0xD5, 0xC5, b'\n']].concat();
    fs::write(desk.path("people.csv"), gbk).expect("the desk is writable");
    let ran = issue_csv(&desk).ends(2);
    assert!(ran.sentence().contains("line 2") && ran.sentence().contains("save the file in UTF-8"), "{ran:#?}");
}

#[test]
fn a_column_that_no_pass_has_is_refused() {
    let desk = Desk::new();
    fs::write(desk.path("people.csv"), "issuer,color,kind\n330000,green,paper\n").expect("the desk is writable");
    assert!(issue_csv(&desk).ends(2).sentence().contains("color"));
}

#[test]
fn a_sheet_with_a_pass_that_is_not_believed_is_not_printed() {
    let (desk, payloads) = desk_with_passes(3);
    let stranger = Desk::new().issue(&[]);
    fs::write(desk.path("list.txt"), format!("{}\n{stranger}\n{}\n", payloads[0], payloads[1])).expect("writable");
    let ran = desk.menshen(["pass", "sheet", "list.txt", "--out", "sheet.pdf"]).ends(2);
    assert!(ran.sentence().contains("list.txt line 2"), "{ran:#?}");
    assert!(!desk.path("sheet.pdf").exists());
}

#[test]
fn inspect_explains_every_field_in_both_languages() {
    let desk = Desk::new();
    let payload = desk.issue(&ALL_FIELDS);
    let ran = desk.menshen(["pass", "inspect", &payload]).ends(0);
    for words in Lang::USUAL.map(Words::of) {
        let (_, rest) = ran.stdout.split_once(&words.name).expect("the language is named");
        for field in Field::ALL {
            let field = words.field(field);
            assert!(rest.contains(&format!("{}: ", field.name)), "{} is not in {rest}", field.name);
            assert!(rest.contains(&field.explain), "{} is not in {rest}", field.explain);
        }
    }
    assert!(ran.stdout.contains("genuine") && ran.stdout.contains("张* 123X"), "{ran:#?}");
}

#[test]
fn inspect_gives_every_field_as_it_was_asked_for() {
    let desk = Desk::new();
    let payload = desk.issue(&ALL_FIELDS);
    let line = desk.menshen(["pass", "inspect", &payload, "--json"]).ends(0).json().remove(0);
    assert_eq!(names(&line), ["signature", "kid", "characters", "qr_version", "claims"].into());
    let claims = &line["claims"];
    let expected = serde_json::json!({
        "issuer": 330_000, "issued_at": "2020-03-01T00:00:00Z", "not_before": "2020-03-01T16:00:00Z",
        "expires_at": "2020-03-31T16:00:00Z", "pass_id": claims["pass_id"], "level": 3, "holder": claims["holder"],
        "kind": "community", "display": {"name": "张*", "id_tail": "123X"}, "colour_reason": 3,
        "until": "2020-03-14T16:00:00Z", "test": {"sampled_at": "2020-02-28T01:30:00Z", "result": "negative"},
        "household": claims["household"],
    });
    assert_eq!(claims, &expected);
    for (name, digits) in [("pass_id", 16), ("holder", 32), ("household", 16)] {
        assert_eq!(claims[name].as_str().map(str::len), Some(digits), "{name}");
    }
}

#[test]
fn inspect_reads_a_photo_as_it_reads_the_text() {
    let desk = Desk::new();
    let payload = desk.issue(&["--kind", "paper", "--photo", "photo.png"]);
    let of_text = desk.menshen(["pass", "inspect", &payload]).ends(0).stdout;
    assert_eq!(desk.menshen(["pass", "inspect", "photo.png"]).ends(0).stdout, of_text);
}

#[test]
fn a_forged_pass_is_explained_and_said_not_to_be_believed() {
    let desk = Desk::new();
    let payload = forged(&desk);
    let ran = desk.menshen(["pass", "inspect", &payload]).ends(1);
    assert!(ran.stdout.contains("不可信") && ran.stdout.contains("not believed"), "{ran:#?}");
    assert!(!ran.stdout.contains("genuine"), "{ran:#?}");
    assert_eq!(desk.menshen(["pass", "inspect", &payload, "--json"]).ends(1).json()[0]["signature"], "refused");
}

/// A pass of a true issuer with one letter of the signature changed.
fn forged(desk: &Desk) -> String {
    let mut payload = desk.issue(&[]);
    let at = payload.len() - 4;
    let other = if &payload[at..=at] == "0" { "1" } else { "0" };
    payload.replace_range(at..=at, other);
    payload
}

#[test]
fn without_trust_a_pass_is_explained_and_said_to_be_unchecked() {
    let payload = Desk::new().issue(&[]);
    let ran = Desk::empty().menshen(["pass", "inspect", &payload]).ends(0);
    assert!(ran.stdout.contains("not checked") && !ran.stdout.contains("genuine"), "{ran:#?}");
    assert!(ran.sentence().contains("menshen trust init"), "{ran:#?}");
}

#[test]
fn what_is_no_pass_is_not_explained() {
    let desk = Desk::new();
    let cut = &desk.issue(&[])[..60];
    for text in [cut, "MS1:", "MS1:!!!", "absent.png"] {
        let ran = desk.menshen(["pass", "inspect", text]).ends(2);
        assert!(!ran.sentence().is_empty() && ran.stdout.is_empty(), "{ran:#?}");
    }
}

#[test]
fn a_pass_of_every_kind_fits_a_code_of_version_10() {
    let desk = Desk::new();
    for kind in Kind::ALL {
        let words = ["--name", "张张*张", "--id-tail", "123X", "--until", "2020-03-15", "--kind", kind.name()];
        let payload = desk.issue(&words);
        assert!(payload.len() <= MAX_QR_TEXT);
        let line = desk.menshen(["pass", "inspect", &payload, "--json"]).ends(0).json().remove(0);
        assert!(line["qr_version"].as_u64().is_some_and(|version| version <= 10), "{line}");
    }
}

#[test]
fn a_pass_that_does_not_fit_is_refused_with_what_to_leave_out() {
    let desk = Desk::new();
    let words = ["--name", "张张张张张张张张", "--photo", "photo.png", "--out", "card.png"];
    let words = ["pass", "issue", "--at", NOW]
        .iter()
        .chain(&words)
        .chain(ALL_FIELDS.iter().filter(|w| **w != "张*" && **w != "--name"));
    let ran = desk.menshen(words).ends(2);
    assert!(ran.sentence().contains("10-M") && ran.sentence().contains("shorten the name"), "{ran:#?}");
    assert!(!desk.path("photo.png").exists() && !desk.path("card.png").exists());
}

#[test]
fn a_card_for_a_phone_says_its_payload() {
    let desk = Desk::new();
    let payload = desk.issue(&["--out", "card.png"]);
    assert_eq!(desk.menshen(["decode", "card.png"]).ends(0).stdout, format!("{payload}\n"));
    let card = image::open(desk.path("card.png")).expect("a picture");
    assert_eq!(card.dimensions().0, 720);
}

#[test]
fn nothing_is_issued_without_a_profile() {
    let ran = Desk::empty().menshen(["pass", "issue"]).ends(2);
    assert!(ran.sentence().contains("menshen trust init"), "{ran:#?}");
}

#[test]
fn a_pass_is_signed_by_the_key_of_its_own_issuer() {
    let desk = Desk::new();
    let profile = Authority::open(&desk.path("keys/dev")).expect("the desk has a profile");
    let kid = |code| {
        let issuer = IssuerId::new(code).expect("a division code");
        let key: SigningKey = profile.issuer_key(issuer).expect("the profile has the issuer's key");
        menshen_core::ids::KeyId::of(key.verifying_key().as_bytes()).to_string()
    };
    for code in [100_000, 330_100] {
        let payload = desk.issue(&["--issuer", &code.to_string()]);
        let line = desk.menshen(["pass", "inspect", &payload, "--json"]).ends(0).json().remove(0);
        assert_eq!(line["kid"], kid(code));
    }
}
