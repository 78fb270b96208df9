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

#[cfg(test)]
mod tests {
    use super::*;

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
