//! The words on a card that the caller does not give: colour, labels, and the expiry spelt out.
//!
//! They stand apart from the layout so that a translator finds them in one place. The invariant is that
//! every line exists in both languages.

use jiff::civil::DateTime;

use super::CardColour;

pub(super) const HOLDER: &str = "持有人 Holder";
pub(super) const EXPIRES: &str = "有效期至 Valid until";

/// The colour's word in Chinese.
pub(super) fn colour_zh(colour: CardColour) -> &'static str {
    match colour {
        CardColour::Green => "绿码",
        CardColour::Yellow => "黄码",
        CardColour::Red => "红码",
    }
}

/// The colour's word in English.
pub(super) fn colour_en(colour: CardColour) -> &'static str {
    match colour {
        CardColour::Green => "GREEN",
        CardColour::Yellow => "YELLOW",
        CardColour::Red => "RED",
    }
}

/// `2026-12-01 08:00` in words: Chinese, then English. Any other text stays as it is, once.
pub(super) fn expiry(expires: &str) -> (String, String) {
    match DateTime::strptime("%Y-%m-%d %H:%M", expires.trim()) {
        Ok(at) => (at.strftime("%Y年%-m月%-d日 %H:%M").to_string(), at.strftime("%-d %B %Y, %H:%M").to_string()),
        Err(_) => (expires.to_owned(), String::new()),
    }
}

/// The foot of a page in the margin that is cut away, so that a stack that fell can be put in order.
pub(super) fn page(number: usize) -> String {
    format!("第 {number} 页 · page {number}")
}
