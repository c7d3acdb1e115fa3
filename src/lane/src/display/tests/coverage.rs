//! The type against everything that is written with it.

use crate::display::type_has;
use crate::words::{Lang, Words};

#[test]
fn the_type_has_every_character_of_every_language() {
    for lang in Lang::ALL {
        let texts = toml::to_string(Words::of(lang)).expect("texts are texts");
        let missing: String =
            texts.chars().filter(|character| !character.is_control() && !type_has(*character)).collect();
        assert_eq!(missing, "", "in {}", lang.name());
    }
}

#[test]
fn the_type_has_the_marks_that_screens_add() {
    let marks = "…·！：。 \u{2011}\u{a0}0123456789:□℃!";
    let missing: Vec<char> = marks.chars().filter(|mark| !type_has(*mark)).collect();
    assert_eq!(missing, []);
}
