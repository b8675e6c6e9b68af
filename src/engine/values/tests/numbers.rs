//! Numbers: reading, rounding, ranges, declared forms, write policies.

use super::*;

#[test]
fn numbers_compare_by_value() {
    check(
        &rule(FieldType::Double, &Options::default()),
        &[
            ("3", "3.0", "same"),
            ("3.0", "3", "same"),
            ("3.00", "3.0", "same"),
            ("003", "3.0", "same"),
            ("-0", "0.0", "same"),
            ("0", "-0.0", "same"),
            ("100000000", "1.0E8", "same"),
            ("0.01", "1.0E-2", "same"),
            ("3", "", "fill 3"),
            ("3", "4.0", "overwrite 4 > 3"),
            ("0", "", "fill 0"),
            ("", "3.0", "kept blank"),
            ("237.634", "237.63", "same"),
            // The org's own value is never rounded: a badly stored one converges in one write.
            ("237.634", "237.634", "overwrite 237.634 > 237.63 (rounded)"),
            ("237.635", "1.0", "overwrite 1 > 237.64 (rounded)"),
            ("-237.635", "", "fill -237.64 (rounded)"),
            ("-0.001", "", "fill 0 (rounded)"),
            ("5", "five", "refused org_unreadable"),
            (" 5 ", "5.0", "same"),
            ("\u{a0}5", "5.0", "same"),
            ("0.1", "0.1", "same"),
            ("123456789012345", "1.23456789012345E14", "same"),
        ],
    );
}

#[test]
fn what_is_no_plain_number_is_refused_with_the_option_that_reads_it() {
    let rule = rule(FieldType::Double, &Options::default());
    check_written(
        &rule,
        &[
            ("1,234", "refused needs_decimal"),
            ("1.234,5", "refused needs_decimal"),
            ("1,5", "refused needs_decimal"),
            ("1 234", "refused needs_decimal"),
            ("1'234", "refused needs_decimal"),
            ("1.234.567", "refused needs_decimal"),
            ("25%", "refused needs_percent"),
            ("25 %", "refused needs_percent"),
            ("25,5%", "refused needs_decimal"),
            ("$10", "refused needs_prefix_or_suffix"),
            ("10 EUR", "refused needs_prefix_or_suffix"),
            ("€10", "refused needs_prefix_or_suffix"),
            ("+5", "refused needs_prefix_or_suffix"),
            ("(5)", "refused needs_prefix_or_suffix"),
            ("abc", "refused not_a_number"),
            ("1e5", "refused not_a_number"),
            (".5", "refused not_a_number"),
            ("5.", "refused not_a_number"),
            ("--5", "refused not_a_number"),
            ("5-", "refused not_a_number"),
            ("1/2", "refused not_a_number"),
            ("2026-01-02", "refused not_a_number"),
            ("NaN", "refused not_a_number"),
            ("٣", "refused not_a_number"),
            ("%", "refused not_a_number"),
            ("-", "refused placeholder_word"),
            ("#DIV/0!", "refused placeholder_word"),
            ("N/A", "refused placeholder_word"),
            ("1_000", "refused not_a_number"),
            ("0x1F", "refused not_a_number"),
        ],
    );
    check(&rule, &[("1e5", "1e5", "refused not_a_number"), ("1,5", "1,5", "refused needs_decimal")]);
}

#[test]
fn scale_and_range() {
    let mut field = field(FieldType::Double);
    (field.precision, field.scale) = (4, 1);
    let rule = Rule::compile(&field, &Options::default()).unwrap();
    check_written(
        &rule,
        &[
            ("999.9", "999.9"),
            ("999.94", "999.9 (rounded)"),
            ("999.95", "refused out_of_range"),
            ("-999.95", "refused out_of_range"),
            ("1000", "refused out_of_range"),
            ("0001", "1"),
            ("237.631", "237.6 (rounded)"),
            ("237.65", "237.7 (rounded)"),
            ("0.05", "0.1 (rounded)"),
            ("0.04", "0 (rounded)"),
            ("12.30", "12.3"),
        ],
    );
    check(&rule, &[("1000", "1000.0", "refused out_of_range"), ("237.6", "237.631", "overwrite 237.631 > 237.6")]);
    (field.precision, field.scale) = (3, 0);
    let whole = Rule::compile(&field, &Options::default()).unwrap();
    check_written(
        &whole,
        &[
            ("2.5", "3 (rounded)"),
            ("-2.5", "-3 (rounded)"),
            ("2.49", "2 (rounded)"),
            ("999.5", "refused out_of_range"),
            ("2.0", "2"),
        ],
    );
}

#[test]
fn fifteen_digits_are_kept() {
    let mut field = field(FieldType::Double);
    (field.precision, field.scale) = (18, 15);
    let latitude = Rule::compile(&field, &Options::default()).unwrap();
    check_written(
        &latitude,
        &[
            ("40.712776", "40.712776"),
            ("40.71277600000001", "40.712776 (rounded)"),
            ("73.12345678901234", "73.1234567890123 (rounded)"),
            ("0.123456789012345", "0.123456789012345"),
            ("0.0123456789012345", "0.012345678901235 (rounded)"),
            ("99.99999999999999", "100 (rounded)"),
            ("999.9999999999999", "refused out_of_range"),
        ],
    );
    check(
        &latitude,
        &[
            ("40.71277600000001", "40.712776", "same"),
            ("40.71277600000001", "40.71277600000001", "overwrite 40.71277600000001 > 40.712776 (rounded)"),
        ],
    );
    (field.precision, field.scale) = (18, 0);
    let whole = Rule::compile(&field, &Options::default()).unwrap();
    check_written(
        &whole,
        &[
            ("999999999999999", "999999999999999"),
            ("9999999999999999", "refused too_precise"),
            ("1000000000000000", "1000000000000000"),
            ("123456789012345000", "123456789012345000"),
            ("1234567890123456789", "refused out_of_range"),
            ("999999999999999.5", "1000000000000000 (rounded)"),
        ],
    );
}

#[test]
fn whole_number_fields() {
    check_written(
        &rule(FieldType::Int, &Options::default()),
        &[
            ("12", "12"),
            ("12.0", "12"),
            ("12.5", "13 (rounded)"),
            ("99999999", "99999999"),
            ("100000000", "refused out_of_range"),
            ("-7", "-7"),
        ],
    );
    check(&rule(FieldType::Int, &Options::default()), &[("12", "12", "same"), ("12", "12.0", "same")]);
    let mut wide = field(FieldType::Int);
    wide.digits = 0;
    let wide = Rule::compile(&wide, &Options::default()).unwrap();
    check_written(
        &wide,
        &[("2147483647", "2147483647"), ("2147483648", "refused out_of_range"), ("-2147483648", "-2147483648")],
    );
}

#[test]
fn declared_decimal_signs() {
    let comma = rule(FieldType::Currency, &Options { decimal: Some(','), ..Options::default() });
    check_written(
        &comma,
        &[
            ("1.234,5", "1234.5"),
            ("1234,5", "1234.5"),
            ("1.234", "1234"),
            ("1.234.567,89", "1234567.89"),
            ("-1.234,50", "-1234.5"),
            ("0,5", "0.5"),
            ("1 234,5", "1234.5"),
            ("1\u{a0}234,5", "1234.5"),
            ("1\u{202f}234", "1234"),
            ("1'234", "1234"),
            ("1.23", "refused not_a_number"),
            ("1234.5", "refused not_a_number"),
            ("1.2345", "refused not_a_number"),
            ("1.234 567", "refused not_a_number"),
            (",5", "refused not_a_number"),
            ("5,", "refused not_a_number"),
            ("1,2,3", "refused not_a_number"),
            ("1.234,5.6", "refused not_a_number"),
            ("7", "7"),
        ],
    );
    check(&comma, &[("1.234", "1.234", "overwrite 1.234 > 1234"), ("1.234", "1234.0", "same")]);
    let point = rule(FieldType::Currency, &Options { decimal: Some('.'), ..Options::default() });
    check_written(
        &point,
        &[
            ("1,234.5", "1234.5"),
            ("1,234,567", "1234567"),
            ("1.5", "1.5"),
            ("1,5", "refused not_a_number"),
            ("12,34,567", "refused not_a_number"),
            ("1’234.5", "1234.5"),
        ],
    );
}

#[test]
fn percentages_prefixes_and_suffixes() {
    let sign = Options { percent: Some(PercentForm::Sign), ..Options::default() };
    check_written(
        &rule(FieldType::Percent, &sign),
        &[("25%", "25"), ("25 %", "25"), ("25.5%", "25.5"), ("25", "25"), ("-3%", "-3"), ("0.25", "0.25")],
    );
    let fraction = Options { percent: Some(PercentForm::Fraction), ..Options::default() };
    check_written(
        &rule(FieldType::Percent, &fraction),
        &[
            ("0.25", "25"),
            ("1", "100"),
            ("0.123456", "12.35 (rounded)"),
            ("25%", "refused needs_percent"),
            ("-0.5", "-50"),
            ("0", "0"),
        ],
    );
    check(&rule(FieldType::Percent, &fraction), &[("0.25", "0.25", "overwrite 0.25 > 25"), ("0.25", "25.0", "same")]);
    let both = Options { percent: Some(PercentForm::Sign), decimal: Some(','), ..Options::default() };
    check_written(&rule(FieldType::Percent, &both), &[("25,5 %", "25.5")]);
    let dollars = Options { prefix: Some("$".into()), decimal: Some('.'), ..Options::default() };
    check_written(
        &rule(FieldType::Currency, &dollars),
        &[
            ("$1,234.50", "1234.5"),
            ("-$5", "-5"),
            ("$-5", "-5"),
            ("$ 5", "5"),
            ("5", "5"),
            ("-$-5", "refused not_a_number"),
            ("€5", "refused needs_prefix_or_suffix"),
            ("$", "refused not_a_number"),
        ],
    );
    let euros = Options { suffix: Some(" EUR".into()), decimal: Some(','), ..Options::default() };
    check_written(
        &rule(FieldType::Currency, &euros),
        &[("1.234,50 EUR", "1234.5"), ("5EUR", "5"), ("5 eur", "refused needs_prefix_or_suffix")],
    );
    let francs = Options { prefix: Some("Fr.".into()), ..Options::default() };
    check_written(&rule(FieldType::Currency, &francs), &[("Fr. 5.25", "5.25"), ("Fr.5", "5")]);
}

#[test]
fn write_policies() {
    let with = |write| rule(FieldType::Double, &Options { write, ..clear() });
    check(
        &with(WritePolicy::IfEmpty),
        &[
            ("3", "", "fill 3"),
            ("3", "3.0", "same"),
            ("3", "4.0", "kept"),
            ("", "4.0", "kept"),
            ("", "", "same"),
            ("x", "4.0", "refused not_a_number"),
        ],
    );
    check(
        &with(WritePolicy::IfGreater),
        &[
            ("3", "", "fill 3"),
            ("3", "2.5", "overwrite 2.5 > 3"),
            ("3", "10.0", "kept"),
            ("-3", "-10.0", "overwrite -10 > -3"),
            ("", "4.0", "kept"),
            ("10", "9.0", "overwrite 9 > 10"),
        ],
    );
    check(
        &with(WritePolicy::IfLess),
        &[("3", "", "fill 3"), ("3", "2.5", "kept"), ("3", "10.0", "overwrite 10 > 3"), ("0.5", "0.45", "kept")],
    );
    let datetime = rule(FieldType::Datetime, &Options { write: WritePolicy::IfGreater, ..Options::default() });
    check(
        &datetime,
        &[
            (
                "2026-01-02T00:00:00+02:00",
                "2026-01-01T21:59:59.000+0000",
                "overwrite 2026-01-01T21:59:59Z > 2026-01-01T22:00:00Z",
            ),
            ("2026-01-02T00:00:00+02:00", "2026-01-01T22:00:01.000+0000", "kept"),
            ("2026-01-02T00:00:00Z", "2026-01-02T00:00:00.500Z", "kept"),
        ],
    );
}
