//! Text that is safe inside HTML, and the frame that all pages share.

use super::words::Lang;
use std::fmt::{self, Display, Write};

/// Text as it may stand between tags and in double-quoted attributes.
pub(crate) struct Esc<T>(pub(crate) T);

impl<T: Display> Display for Esc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|char| match char {
            '&' => self.0.write_str("&amp;"),
            '<' => self.0.write_str("&lt;"),
            '>' => self.0.write_str("&gt;"),
            '"' => self.0.write_str("&quot;"),
            '\'' => self.0.write_str("&#39;"),
            // Control characters, and those that turn the direction of the text around them.
            char if char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                self.0.write_char('\u{fffd}')
            }
            char => self.0.write_char(char),
        })
    }
}

/// A whole page around its main part; `main` is HTML already, `title` is not.
pub(crate) fn frame(lang: Lang, title: &str, main: &str) -> String {
    let other = lang.other();
    let tongue = match other {
        Lang::Zh => "中文",
        Lang::En => "English",
    };
    format!(
        "<!doctype html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · Menshen</title><link rel=\"stylesheet\" href=\"/style.css\">\
         <script src=\"/page.js\" defer></script>\
         <noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript></head>\
         <body><p class=\"banner\" role=\"status\">{away}</p>\
         <header><a class=\"name\" href=\"/?lang={tag}\">门神 Menshen</a>\
         <a class=\"tongue\" lang=\"{other}\" href=\"?lang={other}\">{tongue}</a></header>\
         <main>{main}</main></body></html>\n",
        tag = lang.tag(),
        title = Esc(title),
        away = lang.pick("连接不到汇聚中心，正在重试", "The hub can not be reached; trying again"),
        other = other.tag(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_leave_its_place() {
        let hostile = "<script>alert(1)</script>\" onload='x' &lt;\u{202e}\0";
        let safe = Esc(hostile).to_string();
        assert!(!safe.contains(['<', '>', '"', '\'', '\u{202e}', '\0']), "{safe}");
        assert!(safe.starts_with("&lt;script&gt;") && safe.contains("&amp;lt;"), "{safe}");
    }
}
