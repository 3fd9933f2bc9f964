//! Amounts of fifteen currencies, as Stripe writes them and as people read them.

use daily_ops::checks::payments::money::Money;

#[test]
fn amounts_of_fifteen_currencies_are_printed_exactly() {
    for (minor, currency, printed) in [
        (1_099, "usd", "$10.99"),
        (490_000, "eur", "€4,900.00"),
        (5, "gbp", "£0.05"),
        (500, "jpy", "¥500"),
        (1_234_567, "krw", "KRW 1,234,567"),
        (1_250, "kwd", "KWD 1.250"),
        (10, "bhd", "BHD 0.010"),
        (99_990, "tnd", "TND 99.990"),
        (100_000, "vnd", "VND 100,000"),
        (150_000, "xof", "XOF 150,000"),
        (104_500, "huf", "HUF 1,045.00"),
        (80_045, "twd", "TWD 800.45"),
        (500, "isk", "ISK 5"),
        (380_000, "ugx", "UGX 3,800"),
        (1_000_000, "chf", "CHF 10,000.00"),
    ] {
        let money = Money::new(minor, currency.parse().unwrap());
        assert_eq!(money.to_string(), printed);
        assert_eq!(Money::parse(printed), Ok(money));
    }
}
