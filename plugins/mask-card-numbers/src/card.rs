//! What a payment card number is.

/// Fewest and most digits of a card number.
pub const SHORTEST: usize = 13;
pub const LONGEST: usize = 19;

/// Issuers: first and last prefix of equal length, fewest and most digits.
const ISSUERS: [(u32, u32, usize, usize); 18] = [
    (4, 4, 13, 19),       // Visa
    (51, 55, 16, 16),     // Mastercard
    (2221, 2720, 16, 16), // Mastercard
    (34, 34, 15, 15),     // American Express
    (37, 37, 15, 15),     // American Express
    (300, 305, 14, 19),   // Diners Club
    (36, 36, 14, 19),     // Diners Club
    (38, 39, 16, 19),     // Diners Club
    (6011, 6011, 16, 19), // Discover
    (644, 659, 16, 19),   // Discover
    (3528, 3589, 16, 19), // JCB
    (62, 62, 16, 19),     // UnionPay
    (81, 81, 16, 19),     // UnionPay
    (2200, 2204, 16, 19), // Mir
    (5018, 5018, 13, 19), // Maestro
    (5020, 5038, 13, 19), // Maestro
    (6304, 6304, 13, 19), // Maestro
    (6759, 6763, 13, 19), // Maestro
];

/// Whether digits (0 to 9, not ASCII) are a card number: the right length, a good check digit and,
/// if asked for, a prefix that some issuer uses.
pub fn is_card(digits: &[u8], known_prefixes: bool) -> bool {
    (SHORTEST..=LONGEST).contains(&digits.len())
        && has_check_digit(digits)
        && (!known_prefixes || has_known_prefix(digits))
}

/// The Luhn formula: from the right every second digit counts double, its digits added up.
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => 2 * digit - 9,
            (_, digit) => 2 * digit,
        })
        .sum();
    // All zeros pass the formula and are nobody's card.
    sum > 0 && sum.is_multiple_of(10)
}

fn has_known_prefix(digits: &[u8]) -> bool {
    ISSUERS.iter().any(|(first, last, shortest, longest)| {
        let size = first.ilog10() as usize + 1;
        let prefix = digits[..size].iter().fold(0, |sum, digit| sum * 10 + u32::from(*digit));
        (first..=last).contains(&&prefix) && (shortest..=longest).contains(&&digits.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(text: &str, known_prefixes: bool) -> bool {
        let digits: Vec<u8> = text.bytes().map(|byte| byte - b'0').collect();
        is_card(&digits, known_prefixes)
    }

    #[test]
    fn knows_cards() {
        for number in [
            "4111111111111111",
            "4222222222222",
            "5500000000000004",
            "2223003122003222",
            "340000000000009",
            "30000000000004",
            "6011000990139424",
            "3530111333300000",
            "6200000000000005",
            "6759649826438453",
            "4000000000000000006",
        ] {
            assert!(card(number, true), "{number}");
        }
    }

    #[test]
    fn knows_what_is_none() {
        for number in
            ["4111111111111112", "411111111111", "41111111111111111111", "0000000000000000"]
        {
            assert!(!card(number, false), "{number}");
        }
        // A time in milliseconds with a check digit that happens to fit.
        assert!(card("1700000000004", false));
        assert!(!card("1700000000004", true));
    }
}
