//! Splits a byte stream into units: digits, separators between digits, and everything else.
//!
//! Some syntaxes write one character in several bytes (`\u0020`, `%20`); such an escape is one unit
//! and its digits are no digits of a number.

/// How the body is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Syntax {
    Text,
    Json,
    Form,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A digit and its value.
    Digit(u8),
    /// A space or dash.
    Separator,
    /// A full stop: digits after it may be a fraction.
    Point,
    Other,
}

/// One unit and how many bytes it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    pub kind: Kind,
    pub size: usize,
}

/// The unit at the beginning of `bytes`. `None` when it may go on beyond their end.
///
/// At the end of the body there is nothing beyond: pass `complete`.
pub fn unit(bytes: &[u8], syntax: Syntax, complete: bool) -> Option<Unit> {
    let size = match (syntax, bytes.first()?) {
        (Syntax::Json, b'\\') => match bytes.get(1) {
            Some(b'u') => 6,
            Some(_) => 2,
            None => 2,
        },
        (Syntax::Form, b'%') => 3,
        _ => 1,
    };
    if size > bytes.len() && !complete {
        return None;
    }
    let size = size.min(bytes.len());
    let kind = match &bytes[..size] {
        [digit @ b'0'..=b'9'] => Kind::Digit(digit - b'0'),
        b" " | b"-" => Kind::Separator,
        b"+" | b"%20" | b"%2D" | b"%2d" if syntax == Syntax::Form => Kind::Separator,
        b"." => Kind::Point,
        _ => Kind::Other,
    };
    Some(Unit { kind, size })
}

/// What a byte is to `skim`.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Plain,
    Digit,
    Separator,
    Quote,
    Escape,
}

/// One look-up for each byte is all that most of a body costs.
const fn classes(json: bool) -> [Class; 256] {
    let mut table = [Class::Plain; 256];
    let mut digit = b'0';
    while digit <= b'9' {
        table[digit as usize] = Class::Digit;
        digit += 1;
    }
    table[b' ' as usize] = Class::Separator;
    table[b'-' as usize] = Class::Separator;
    if json {
        table[b'"' as usize] = Class::Quote;
        table[b'\\' as usize] = Class::Escape;
    }
    table
}

static TEXT: [Class; 256] = classes(false);
static JSON: [Class; 256] = classes(true);

/// The beginning of some bytes in which there is no card number.
#[derive(Debug, Default, PartialEq)]
pub struct Skimmed {
    pub size: usize,
    /// There were an odd number of quotes.
    pub crosses_string: bool,
    /// It ends with a digit and a full stop.
    pub ends_with_point: bool,
}

/// How much of `bytes` can go out as it is: all digits in it are in runs of fewer than `shortest`,
/// which have ended. Begins between two runs. Looks at nothing in forms, where separators are escapes.
pub fn skim(bytes: &[u8], syntax: Syntax, shortest: usize) -> Skimmed {
    let table = match syntax {
        Syntax::Text => &TEXT,
        Syntax::Json => &JSON,
        Syntax::Form => return Skimmed::default(),
    };
    let mut at = 0;
    let mut digits_end = None;
    let mut crosses_string = false;
    while let Some(byte) = bytes.get(at) {
        match table[*byte as usize] {
            Class::Plain | Class::Separator => at += 1,
            Class::Quote => {
                crosses_string = !crosses_string;
                at += 1;
            }
            Class::Escape => {
                let size = if bytes.get(at + 1) == Some(&b'u') { 6 } else { 2 };
                if at + size > bytes.len() {
                    break;
                }
                at += size;
            }
            Class::Digit => match short_run(&bytes[at..], table, shortest) {
                Some(size) => {
                    at += size;
                    digits_end = Some(at);
                }
                None => break,
            },
        }
    }
    let ends_with_point = at > 0 && digits_end == Some(at - 1) && bytes[at - 1] == b'.';
    Skimmed { size: at, crosses_string, ends_with_point }
}

/// The size of the run of digits at the beginning, single separators between them included. `None`
/// when it has `shortest` digits or more, or may go on beyond the end.
fn short_run(bytes: &[u8], table: &[Class; 256], shortest: usize) -> Option<usize> {
    let mut digits = 0;
    let mut at = 0;
    loop {
        match table[*bytes.get(at)? as usize] {
            Class::Digit => {
                digits += 1;
                if digits == shortest {
                    return None;
                }
                at += 1;
            }
            Class::Separator if table[*bytes.get(at + 1)? as usize] == Class::Digit => at += 1,
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skims_short_runs_that_have_ended() {
        let size = |text: &str| skim(text.as_bytes(), Syntax::Json, 12).size;
        assert_eq!(size(r#"{"a":1.5,"b":"1 2"}"#), 19);
        assert_eq!(size("ab 123"), 3);
        assert_eq!(size("ab 123 "), 3);
        assert_eq!(size("ab 123 c"), 8);
        assert_eq!(size("ab 1234-5678-9012 c"), 3);
        assert_eq!(size("ab 1234-5678--9012 c"), 20);
        assert_eq!(size(r"ab\u00"), 2);
        assert_eq!(size(r"ab\u0031 c"), 10);
        assert_eq!(skim(b"a%20b", Syntax::Form, 12).size, 0);
    }

    #[test]
    fn tells_where_it_stopped() {
        let skimmed = |text: &str| skim(text.as_bytes(), Syntax::Json, 12);
        assert!(skimmed("a 1.").ends_with_point);
        assert!(!skimmed("a 1 .").ends_with_point);
        assert!(!skimmed(r"\u0031.").ends_with_point);
        assert!(!skimmed(".").ends_with_point);
        assert!(skimmed(r#"{"a"#).crosses_string);
        assert!(!skimmed(r#"{"a\"":1}"#).crosses_string || skimmed(r#"{"a\"":1}"#).size > 0);
    }

    fn kinds(text: &str, syntax: Syntax) -> Vec<(Kind, usize)> {
        let mut rest = text.as_bytes();
        let mut kinds = Vec::new();
        while let Some(unit) = unit(rest, syntax, true) {
            kinds.push((unit.kind, unit.size));
            rest = &rest[unit.size..];
        }
        kinds
    }

    #[test]
    fn escapes_are_one_unit() {
        use Kind::{Digit, Other, Separator};
        assert_eq!(kinds(r"\u00204", Syntax::Json), [(Other, 6), (Digit(4), 1)]);
        assert_eq!(kinds(r"\\4", Syntax::Json), [(Other, 2), (Digit(4), 1)]);
        assert_eq!(
            kinds("%204+1", Syntax::Form)[..3],
            [(Separator, 3), (Digit(4), 1), (Separator, 1)]
        );
        assert_eq!(kinds("%3D4", Syntax::Form), [(Other, 3), (Digit(4), 1)]);
        assert_eq!(kinds(r"\u", Syntax::Json), [(Other, 2)]);
    }

    #[test]
    fn an_escape_may_go_on() {
        assert_eq!(unit(b"\\u00", Syntax::Json, false), None);
        assert_eq!(unit(b"%2", Syntax::Form, false), None);
        assert_eq!(unit(b"\\u00", Syntax::Text, false).unwrap().size, 1);
    }
}
