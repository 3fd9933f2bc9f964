//! Amounts as Stripe gives them, exactly: an integer of the currency's minor unit. Pure.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Currencies of which Stripe's minor unit is the unit itself.
const WITHOUT_DECIMALS: [&str; 15] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
    "xof", "xpf",
];

const WITH_THREE_DECIMALS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// Without decimals by now, yet Stripe still writes them with two, which are always 00: 500 are 5 krónur.
const IN_HUNDREDS: [&str; 2] = ["isk", "ugx"];

const SYMBOLS: [(&str, &str); 4] = [("eur", "€"), ("gbp", "£"), ("jpy", "¥"), ("usd", "$")];

/// A currency's code of three letters, in lower case as Stripe writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The decimals of the amounts in Stripe's API (docs.stripe.com/currencies).
    pub fn decimals(self) -> usize {
        if WITHOUT_DECIMALS.contains(&self.as_str()) {
            0
        } else if WITH_THREE_DECIMALS.contains(&self.as_str()) {
            3
        } else {
            2
        }
    }
}

impl FromStr for Currency {
    type Err = NoMoney;

    fn from_str(text: &str) -> Result<Self, NoMoney> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| NoMoney::Currency)?;
        if code.iter().all(u8::is_ascii_alphabetic) {
            Ok(Self(code.map(|letter| letter.to_ascii_lowercase())))
        } else {
            Err(NoMoney::Currency)
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = NoMoney;

    fn try_from(text: String) -> Result<Self, NoMoney> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().to_ascii_uppercase())
    }
}

/// What is no amount, or no currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMoney {
    #[error("a currency has three letters, such as EUR")]
    Currency,
    #[error("an amount is written in digits with at most the currency's decimals, such as 1250.00")]
    Amount,
}

/// An amount of one currency; in minor units as Stripe has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    pub currency: Currency,
    pub minor: i128,
}

impl Money {
    pub fn new(minor: impl Into<i128>, currency: Currency) -> Self {
        Self {
            currency,
            minor: minor.into(),
        }
    }

    /// Of an amount in units as people and tables write it: "1,250.5", "-3". Exact, or nothing.
    pub fn of_units(text: &str, currency: Currency) -> Result<Self, NoMoney> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let decimals = currency.decimals();
        let spare = fraction.get(decimals..).unwrap_or_default();
        if !grouped(whole)
            || !fraction.bytes().all(|b| b.is_ascii_digit())
            || spare.bytes().any(|b| b != b'0')
            || digits.ends_with('.')
        {
            return Err(NoMoney::Amount);
        }
        let kept = &fraction[..fraction.len().min(decimals)];
        let minor: String = whole
            .bytes()
            .filter(u8::is_ascii_digit)
            .map(char::from)
            .chain(kept.chars())
            .chain(std::iter::repeat_n('0', decimals - kept.len()))
            .collect();
        let minor: i128 = minor.parse().map_err(|_| NoMoney::Amount)?;
        Ok(Self::new(if negative { -minor } else { minor }, currency))
    }

    /// As this program prints it: "€4,900.00", "KWD 1.250".
    pub fn parse(text: &str) -> Result<Self, NoMoney> {
        let (negative, rest) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        let symbol = SYMBOLS
            .iter()
            .find_map(|(code, symbol)| Some((*code, rest.strip_prefix(symbol)?)));
        let (code, amount) = match symbol {
            Some(found) => found,
            None => rest.split_once(' ').ok_or(NoMoney::Currency)?,
        };
        if amount.starts_with(['-', '+']) {
            return Err(NoMoney::Amount);
        }
        let mut money = Self::of_units(amount, code.parse()?)?;
        if negative {
            money.minor = -money.minor;
        }
        Ok(money)
    }

    /// The amount in units without a currency: "4,900.00".
    pub fn units(&self) -> String {
        let decimals = self.currency.decimals();
        let digits = format!(
            "{:0>width$}",
            self.minor.unsigned_abs(),
            width = decimals + 1
        );
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        let sign = if self.minor < 0 { "-" } else { "" };
        let whole = group(whole);
        let is_whole = fraction == "00" && IN_HUNDREDS.contains(&self.currency.as_str());
        if fraction.is_empty() || is_whole {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.units();
        let (sign, units) = match units.strip_prefix('-') {
            Some(units) => ("-", units),
            None => ("", units.as_str()),
        };
        let symbol = SYMBOLS
            .iter()
            .find(|(code, _)| *code == self.currency.as_str());
        let text = match symbol {
            Some((_, symbol)) => format!("{sign}{symbol}{units}"),
            None => format!("{sign}{} {units}", self.currency),
        };
        f.pad(&text)
    }
}

/// Digits in groups of three, from the right.
fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Whether these are digits, whose commas, if there are any, stand between groups of three.
fn grouped(whole: &str) -> bool {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let comes_alone = !whole.contains(',');
    !first.is_empty()
        && digits(first)
        && (comes_alone || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && digits(group))
}

/// Sums, one for each currency and never across them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<Currency, i128>);

impl Sums {
    pub fn add(&mut self, money: Money) {
        let sum = self.0.entry(money.currency).or_default();
        *sum = sum.saturating_add(money.minor);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of their currencies' codes.
    pub fn iter(&self) -> impl Iterator<Item = Money> {
        self.0
            .iter()
            .map(|(currency, minor)| Money::new(*minor, *currency))
    }
}

impl FromIterator<Money> for Sums {
    fn from_iter<I: IntoIterator<Item = Money>>(amounts: I) -> Self {
        let mut sums = Self::default();
        for money in amounts {
            sums.add(money);
        }
        sums
    }
}

impl fmt::Display for Sums {
    /// "€4,900.00, ¥12,000, KWD 1.250".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said: Vec<String> = self.iter().map(|money| money.to_string()).collect();
        f.write_str(&said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i128, currency: &str) -> Money {
        Money::new(minor, currency.parse().unwrap())
    }

    #[test]
    fn an_amount_is_printed_with_its_currencys_decimals() {
        for (minor, currency, printed) in [
            (490_000, "eur", "€4,900.00"),
            (12_000, "jpy", "¥12,000"),
            (1_250, "kwd", "KWD 1.250"),
            (1, "usd", "$0.01"),
            (-5, "gbp", "-£0.05"),
            (0, "usd", "$0.00"),
            (123_456_789, "chf", "CHF 1,234,567.89"),
            (1_500_000, "krw", "KRW 1,500,000"),
            (5, "bhd", "BHD 0.005"),
            (104_500, "huf", "HUF 1,045.00"),
            (80_045, "twd", "TWD 800.45"),
            (500, "isk", "ISK 5"),
            (200_000, "ugx", "UGX 2,000"),
            (550, "ugx", "UGX 5.50"),
            (999, "clp", "CLP 999"),
            (-123_456, "omr", "-OMR 123.456"),
            (i128::from(i64::MAX), "mga", "MGA 9,223,372,036,854,775,807"),
        ] {
            assert_eq!(money(minor, currency).to_string(), printed);
        }
    }

    #[test]
    fn sums_never_cross_currencies() {
        let sums: Sums = [
            money(100, "eur"),
            money(250, "eur"),
            money(12_000, "jpy"),
            money(1_250, "kwd"),
        ]
        .into_iter()
        .collect();
        assert_eq!(sums.to_string(), "€3.50, ¥12,000, KWD 1.250");
    }

    #[test]
    fn an_amount_in_units_is_read_exactly_or_not_at_all() {
        let read = |text, currency: &str| {
            let money = Money::of_units(text, currency.parse().unwrap());
            money.map(|money| money.minor).ok()
        };
        assert_eq!(read("1250.5", "eur"), Some(125_050));
        assert_eq!(read("1,250.50", "eur"), Some(125_050));
        assert_eq!(read("-3", "kwd"), Some(-3_000));
        assert_eq!(read("500", "jpy"), Some(500));
        assert_eq!(read("500.00", "jpy"), Some(500));
        assert_eq!(read("5", "isk"), Some(500));
        for (text, currency) in [
            ("500.50", "jpy"),
            ("1.005", "eur"),
            ("1,25", "eur"),
            ("1.250,00", "eur"),
            ("1e3", "eur"),
            (".5", "eur"),
            ("5.", "eur"),
            ("", "eur"),
            ("--1", "eur"),
            ("999999999999999999999999999999999999999999", "eur"),
        ] {
            assert_eq!(read(text, currency), None, "{text} {currency}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(minor in any::<i64>(), code in "[a-z]{3}", known in 0..28_usize) {
            let all: Vec<&str> = WITHOUT_DECIMALS.iter().chain(&WITH_THREE_DECIMALS).chain(&IN_HUNDREDS)
                .copied().chain(SYMBOLS.iter().map(|(code, _)| *code)).collect();
            let code = all.get(known).copied().unwrap_or(&code);
            let money = money(i128::from(minor), code);
            prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
        }
    }
}
