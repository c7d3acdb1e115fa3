//! The rules by which texts are chosen, against those of the page: the same words of the same person.

use super::gallery::{self, Case};
use crate::display::told::{self, Level, Told};
use crate::words::{Lang, Words};

const PAGE: &str = include_str!("../../panel/assets/draw.js");

fn english() -> Lang {
    Lang::parse("en").expect("there is English")
}

fn told_of(name: &str, change: impl FnOnce(&mut Case)) -> Told {
    let mut case = gallery::all().into_iter().find(|case| case.name == name).expect("it is in the gallery");
    change(&mut case);
    told::told(&case.state(&gallery::info(), english()))
}

fn as_it_is(name: &str) -> Told {
    told_of(name, |_| {})
}

#[test]
fn a_colour_that_was_changed_is_said_beside_its_colour() {
    let told = as_it_is("reason-overridden");
    let words = Words::of(english());
    let red = words.reason(menshen_core::reason::Reason::Red);
    assert_eq!(told.title.as_deref(), Some(red.title.as_str()));
    let say = told.say.expect("it is said");
    assert!(say.starts_with(&red.holder) && say.ends_with("its issuer changed it to red."), "{say}");
    assert_eq!(told.also.as_deref(), Some("Also: Changed to red since"));
    assert!(told.remedy.expect("there is one").ends_with("Please call 0571\u{2011}12345."), "the hotline is whole");
}

#[test]
fn an_admission_says_that_it_is_fine_and_the_volunteer_what_to_renew() {
    let told = as_it_is("reason-trust_ageing");
    assert_eq!(told.say.as_deref(), Some("All fine. Please walk on."));
    assert_eq!((told.title.as_deref(), told.remedy), (Some("Gate's list wants an update"), None));
    let volunteer = told.volunteer.expect("it is said");
    assert!(
        volunteer.starts_with("Volunteer: ")
            && volunteer.ends_with("Connect this gate to its hub, or put in a USB stick with the newest data."),
        "{volunteer}"
    );
    let alone = told_of("reason-trust_ageing", |case| {
        case.bar.iter_mut().for_each(|bar| bar.hub = None);
    });
    assert!(alone.volunteer.expect("it is said").ends_with("Put in a USB stick with the newest data."));
    let stuck = told_of("reason-trust_ageing", |case| {
        case.bar.iter_mut().for_each(|bar| bar.takes_new = false);
    });
    assert!(stuck.volunteer.expect("it is said").ends_with("Call the technician."));
}

#[test]
fn a_plain_admission_has_no_title_and_says_what_to_look_at_with_its_kind() {
    let plain = as_it_is("admit");
    assert_eq!((plain.title, plain.volunteer, plain.also), (None, None, None));
    let dependent = as_it_is("dependent").volunteer.expect("it is said");
    assert!(dependent.starts_with("Volunteer: A family member may carry this code."), "{dependent}");
}

#[test]
fn a_wrong_clock_is_said_with_both_times_and_the_one_thing_to_do() {
    let idle = as_it_is("idle-clock").also.expect("it is said");
    assert_eq!(
        idle,
        "This gate's clock says 2 Aug 2020 10:05, but it cannot be before 3 Aug 2020 10:05. Connect this gate to its hub, which sets the clock."
    );
    let verdict = as_it_is("reason-clock_untrusted").volunteer.expect("it is said");
    assert!(verdict.ends_with("Connect this gate to its hub, which sets the clock."), "{verdict}");
}

#[test]
fn what_is_wrong_is_told_to_the_technician_while_nobody_is_there_and_never_beside_a_verdict() {
    let idle = as_it_is("idle-faults").why.expect("it is said");
    for sentence in ["Camera: the camera /dev/video0 is gone: plug it in again", "Buttons: cannot read the input"] {
        assert!(idle.contains(sentence), "{idle}");
    }
    assert_eq!(as_it_is("faults").why, None);
    assert_eq!(as_it_is("idle").why, None, "nothing is wrong");
}

#[test]
fn a_lost_gate_shows_no_verdict_and_no_bar() {
    let case = gallery::all().into_iter().find(|case| case.name == "lost").expect("it is in the gallery");
    let info = gallery::info();
    let state = case.state(&info, english());
    assert_eq!(told::told(&state).word, "Connection lost");
    assert_eq!(told::parts(&state), []);
}

#[test]
fn the_bar_says_what_the_page_says() {
    let parts = |bar| {
        let case = Case { bar: Some(bar), ..gallery::others().remove(2) };
        let info = gallery::info();
        let parts = told::parts(&case.state(&info, english()));
        parts.into_iter().map(|part| (part.name, part.value, part.level)).collect::<Vec<_>>()
    };
    let fine = [
        ("clock", "10:05"),
        ("trust", "6 h ago"),
        ("backlog", "3"),
        ("camera", "fine"),
        ("thermometer", "fine"),
        ("journal", "fine"),
        ("hub", "fine"),
    ];
    assert_eq!(parts(gallery::fine()), fine.map(|(name, value)| (name, value.to_owned(), Level::Fine)));
    let ailing = parts(gallery::ailing());
    let part =
        |wanted| ailing.iter().find(|(name, ..)| *name == wanted).map(|(_, value, level)| (value.as_str(), *level));
    assert_eq!(part("trust"), Some(("21 d ago", Level::Bad)));
    assert_eq!(part("camera"), Some(("check", Level::Bad)));
    assert_eq!(part("hub"), Some(("check", Level::Warn)));
    assert_eq!(part("inputs"), Some(("check", Level::Warn)));
}

#[test]
fn a_stick_has_a_card_until_it_had_its_time_and_is_then_only_asked_back() {
    let refused = as_it_is("stick-refused");
    assert_eq!((refused.word.as_str(), refused.title.as_deref()), ("Stick refused", Some("Out of date")));
    assert!(refused.why.expect("it is said").starts_with("For the technician: timestamp.json"));
    assert_eq!(as_it_is("stick-failed").word, "Not saved");
    assert_eq!(as_it_is("stick-imported").title.as_deref(), Some("Version 7, as of 04:00 today"));
    let forgotten = as_it_is("stick-forgotten");
    assert_eq!(
        (forgotten.word.as_str(), forgotten.also.as_deref()),
        ("Please show your health code", Some("You can take it out now."))
    );
}

#[test]
fn the_page_takes_the_same_off_the_screen_after_the_same_time() {
    let names = told::OF_THE_PERSON.map(|name| format!("\"{name}\"")).join(", ");
    let seconds = crate::display::watcher::PERSON.as_secs();
    for constant in [format!("const OF_THE_PERSON = [{names}];"), format!("const PERSON_MS = {seconds}000;")] {
        assert!(PAGE.contains(&constant), "{constant}");
    }
}

#[test]
fn what_is_said_under_a_name_is_written_as_the_language_writes_it_and_the_page_takes_it_from_the_words_too() {
    for case in gallery::all() {
        for lang in gallery::langs() {
            let told = told::told(&case.state(&gallery::info(), lang));
            let colon = if lang.is_chinese() { "：" } else { ": " };
            let facts = told.facts.iter().filter(|fact| fact.name == "rests").map(|fact| &fact.value);
            for text in facts.chain(&told.volunteer).chain(&told.also.filter(|_| told.is_verdict)) {
                assert!(text.contains(colon) && !(lang.is_chinese() && text.contains(": ")), "{}: {text}", case.name);
            }
        }
    }
    assert!(!PAGE.contains("}: ${"), "the page joins a name and a value by itself");
}
