//! The stream: bytes in, the same bytes out with card numbers masked. Only what may still become a
//! card number is held back.

use crate::card::{LONGEST, SHORTEST, is_card};
use crate::scan::{Kind, Syntax, skim, unit};

/// What stands in for a digit of a bare JSON number, which an asterisk would break. Not 0: a JSON
/// number does not begin with it.
const BARE: &[u8] = b"9";

/// How numbers are masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// Stands in for each masked digit.
    pub mask: String,
    /// How many digits at the end stay.
    pub keep_last: usize,
    /// Only numbers with a prefix that some issuer uses.
    pub known_prefixes: bool,
}

/// Digits without a separator between them, and the separator after them.
struct Group {
    digits: Vec<u8>,
    separator: Vec<u8>,
    /// Comes after a digit and a full stop, as a fraction does.
    fraction: bool,
    /// How many of the digits, from the left, are to be masked.
    hidden: usize,
}

/// Masks one body.
pub struct Masker {
    style: Style,
    syntax: Syntax,
    /// Groups that may be part of a card number; the last one may still grow.
    run: Vec<Group>,
    /// Bytes of an escape that goes on in the next chunk.
    cut: Vec<u8>,
    /// Within more digits than a card has: they go straight out.
    overlong: bool,
    /// The last unit was a full stop after a digit.
    after_point: bool,
    /// Within a JSON string.
    in_string: bool,
    masked: u64,
}

impl Masker {
    pub fn new(style: Style, syntax: Syntax) -> Masker {
        Masker {
            style,
            syntax,
            run: Vec::new(),
            cut: Vec::new(),
            overlong: false,
            after_point: false,
            in_string: false,
            masked: 0,
        }
    }

    /// How many numbers have been masked.
    pub fn masked(&self) -> u64 {
        self.masked
    }

    /// How many bytes are held back.
    pub fn held(&self) -> usize {
        let run = self.run.iter().map(|group| group.digits.len() + group.separator.len());
        run.sum::<usize>() + self.cut.len()
    }

    /// Takes a chunk, gives what can be said about the body so far; at its end everything.
    pub fn feed(&mut self, chunk: &[u8], end: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(chunk.len() + 64);
        let joined;
        let mut rest = chunk;
        if !self.cut.is_empty() {
            joined = [std::mem::take(&mut self.cut).as_slice(), chunk].concat();
            rest = &joined;
        }
        while !rest.is_empty() {
            if self.run.is_empty() && !self.overlong {
                let plain = self.plain(rest);
                if plain > 0 {
                    out.extend_from_slice(&rest[..plain]);
                    rest = &rest[plain..];
                    continue;
                }
            }
            let Some(unit) = unit(rest, self.syntax, end) else {
                self.cut = rest.to_vec();
                break;
            };
            let (bytes, after) = rest.split_at(unit.size);
            self.take(unit.kind, bytes, &mut out);
            rest = after;
        }
        if end {
            self.finish(&mut out);
        }
        out
    }

    /// How many bytes at the beginning hold no card number: most of a body.
    fn plain(&mut self, bytes: &[u8]) -> usize {
        if self.syntax == Syntax::Form {
            let special = |byte: &u8| byte.is_ascii_digit() || *byte == b'%';
            let plain = bytes.iter().position(special).unwrap_or(bytes.len());
            self.after_point &= plain == 0;
            return plain;
        }
        let skimmed = skim(bytes, self.syntax, SHORTEST);
        if skimmed.size > 0 {
            self.after_point = skimmed.ends_with_point;
            self.in_string ^= skimmed.crosses_string;
        }
        skimmed.size
    }

    fn take(&mut self, kind: Kind, bytes: &[u8], out: &mut Vec<u8>) {
        match kind {
            Kind::Digit(_) if self.overlong => out.extend_from_slice(bytes),
            Kind::Digit(digit) => self.take_digit(digit, out),
            Kind::Separator if self.ends_with_digit() => {
                if let Some(group) = self.run.last_mut() {
                    group.separator = bytes.to_vec();
                }
            }
            _ => {
                self.after_point = kind == Kind::Point && (self.overlong || self.ends_with_digit());
                self.overlong = false;
                self.finish(out);
                self.in_string ^= self.syntax == Syntax::Json && bytes == b"\"";
                out.extend_from_slice(bytes);
            }
        }
    }

    fn take_digit(&mut self, digit: u8, out: &mut Vec<u8>) {
        if self.ends_with_digit() {
            if let Some(group) = self.run.last_mut() {
                group.digits.push(digit);
            }
        } else {
            let fraction = std::mem::take(&mut self.after_point);
            self.run.push(Group {
                digits: vec![digit],
                separator: Vec::new(),
                fraction,
                hidden: 0,
            });
        }
        // What begins with the first group is decided once the digits are too many for one card.
        while self.run.iter().map(|group| group.digits.len()).sum::<usize>() > LONGEST {
            if self.run.len() == 1 {
                self.overlong = true;
            }
            self.settle_first(out);
        }
    }

    fn ends_with_digit(&self) -> bool {
        self.run.last().is_some_and(|group| group.separator.is_empty())
    }

    /// The run has ended: decides about all of it.
    fn finish(&mut self, out: &mut Vec<u8>) {
        while !self.run.is_empty() {
            self.settle_first(out);
        }
    }

    /// Gives out the first group. Every card number that begins with it hides its digits, also those
    /// of later groups: where two readings overlap, both are masked.
    fn settle_first(&mut self, out: &mut Vec<u8>) {
        for count in 1..=self.run.len() {
            if self.is_card(count) {
                self.masked += 1;
                self.hide(count);
            }
        }
        let Group { digits, separator, hidden, .. } = self.run.remove(0);
        let bare = self.syntax == Syntax::Json && !self.in_string;
        let mask = if bare { BARE } else { self.style.mask.as_bytes() };
        for _ in 0..hidden {
            out.extend_from_slice(mask);
        }
        out.extend(digits[hidden..].iter().map(|digit| b'0' + digit));
        out.extend_from_slice(&separator);
    }

    /// Hides all digits of the first `count` groups but the last ones.
    fn hide(&mut self, count: usize) {
        let groups = &mut self.run[..count];
        let total: usize = groups.iter().map(|group| group.digits.len()).sum();
        let mut left = total.saturating_sub(self.style.keep_last);
        for group in groups {
            let hidden = left.min(group.digits.len());
            group.hidden = group.hidden.max(hidden);
            left -= hidden;
        }
    }

    /// Whether the first `count` groups are a card number.
    fn is_card(&self, count: usize) -> bool {
        let groups = &self.run[..count];
        let digits = groups.iter().flat_map(|group| &group.digits).copied();
        let total = digits.clone().count();
        if !(SHORTEST..=LONGEST).contains(&total) || (count == 1 && groups[0].fraction) {
            return false;
        }
        is_card(&digits.collect::<Vec<_>>(), self.style.known_prefixes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masker(syntax: Syntax) -> Masker {
        Masker::new(Style { mask: "*".into(), keep_last: 4, known_prefixes: true }, syntax)
    }

    fn whole(text: &str, syntax: Syntax) -> String {
        String::from_utf8(masker(syntax).feed(text.as_bytes(), true)).unwrap()
    }

    const TEXTS: [(&str, &str); 14] = [
        ("4111111111111111", "************1111"),
        ("a 4111 1111 1111 1111.", "a **** **** **** 1111."),
        ("5500-0000-0000-0004,", "****-****-****-0004,"),
        ("3400 000000 00009 ", "**** ****** *0009 "),
        // After a number that belongs to something else.
        ("order 12 4111 1111 1111 1111", "order 12 **** **** **** 1111"),
        // Two readings: 345411111111111 is a card number as well.
        ("1 2 3 4 5 4111-1111-1111-1111 6", "1 2 * * * ****-****-****-1111 6"),
        ("4111111111111111 4222222222222", "************1111 *********2222"),
        // Not cards: check digit, too long, two separators, a fraction.
        ("4111111111111112", "4111111111111112"),
        ("41111111111111111111", "41111111111111111111"),
        ("4111  1111 1111 1111", "4111  1111 1111 1111"),
        ("0.4111111111111111", "0.4111111111111111"),
        ("123456789012345678901 4111111111111111", "123456789012345678901 ************1111"),
        ("né 4111111111111111é", "né ************1111é"),
        ("- 4111 1111 1111 1111 -", "- **** **** **** 1111 -"),
    ];

    #[test]
    fn masks_cards_and_nothing_else() {
        for (text, expected) in TEXTS {
            assert_eq!(whole(text, Syntax::Text), expected);
        }
    }

    #[test]
    fn chunks_make_no_difference() {
        let text: String = TEXTS.iter().map(|(text, _)| format!("{text} | ")).collect();
        let expected = whole(&text, Syntax::Text);
        for size in 1..40 {
            let mut masker = masker(Syntax::Text);
            let mut out = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                out.extend(masker.feed(chunk, false));
            }
            out.extend(masker.feed(b"", true));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "chunks of {size}");
        }
    }

    #[test]
    fn holds_back_only_the_tail() {
        let mut masker = masker(Syntax::Text);
        assert_eq!(masker.feed(b"pay 4111 11", false), b"pay ");
        assert_eq!(masker.feed(b"11 1111 1111", false), b"");
        assert_eq!(masker.feed(b", thanks", false), b"**** **** **** 1111, thanks");
        assert_eq!(masker.feed(b" 12 ", false), b" ");
        assert_eq!(masker.feed(b"x", false), b"12 x");
        assert_eq!(masker.masked(), 1);
    }

    #[test]
    fn held_bytes_stay_few() {
        let mut masker = masker(Syntax::Text);
        let text = "7 ".repeat(10_000);
        let given: usize =
            text.as_bytes().chunks(7).map(|chunk| masker.feed(chunk, false).len()).sum();
        assert_eq!(masker.held(), text.len() - given);
        assert!(masker.held() <= 2 * LONGEST, "{}", masker.held());
    }

    #[test]
    fn json_stays_json() {
        assert_eq!(
            whole(r#"{"a":"4111111111111111","b":4111111111111111}"#, Syntax::Json),
            r#"{"a":"************1111","b":9999999999991111}"#,
        );
        // The quote is escaped, and the four digits belong to the escape.
        assert_eq!(
            whole(r#"["\"4111111111111111\u12344111111111111111"]"#, Syntax::Json),
            r#"["\"************1111\u1234************1111"]"#,
        );
        for cut in 0..40 {
            let text = r#"["\"4111111111111111\u12344111111111111111"]"#.as_bytes();
            let mut masker = masker(Syntax::Json);
            let mut out = masker.feed(&text[..cut], false);
            out.extend(masker.feed(&text[cut..], true));
            assert_eq!(out, br#"["\"************1111\u1234************1111"]"#, "cut at {cut}");
        }
    }

    #[test]
    fn forms_separate_by_plus_and_escape() {
        assert_eq!(
            whole("n=4111+1111%201111-1111&m=%204111111111111111&x=%", Syntax::Form),
            "n=****+****%20****-1111&m=%20************1111&x=%",
        );
    }

    #[test]
    fn any_mask_and_any_tail() {
        let style = Style { mask: "•".into(), keep_last: 0, known_prefixes: true };
        let out = Masker::new(style, Syntax::Text).feed(b"4222 2222 2222 2", true);
        assert_eq!(String::from_utf8(out).unwrap(), "•••• •••• •••• •");
    }
}
