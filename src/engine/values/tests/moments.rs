//! Dates, datetimes, times of day: ISO forms, patterns, time zones.

use jiff::tz::TimeZone;

use super::*;

fn zone(name: &str) -> Option<TimeZone> {
    Some(TimeZone::get(name).unwrap())
}

fn zoned(name: &str) -> Options {
    Options { time_zone: zone(name), ..Options::default() }
}

fn format(pattern: &str, name: Option<&str>) -> Options {
    Options { format: Some(pattern.into()), time_zone: name.and_then(zone), ..Options::default() }
}

#[test]
fn dates() {
    let rule = rule(FieldType::Date, &Options::default());
    check(
        &rule,
        &[
            ("2026-01-02", "2026-01-02", "same"),
            (" 2026-01-02 ", "2026-01-02", "same"),
            ("2026-01-02", "2026-01-03", "overwrite 2026-01-03 > 2026-01-02"),
            ("", "2026-01-03", "kept blank"),
            ("2026-01-02", "02.01.2026", "refused org_unreadable"),
        ],
    );
    check_written(
        &rule,
        &[
            ("2024-02-29", "2024-02-29"),
            ("2026-02-29", "refused not_a_date"),
            ("2026-13-01", "refused not_a_date"),
            ("2026-1-2", "refused not_a_date"),
            ("03/04/2026", "refused ambiguous_date"),
            ("3.4.2026", "refused ambiguous_date"),
            ("2026/03/04", "refused ambiguous_date"),
            ("03-04-2026", "refused ambiguous_date"),
            ("20260102", "refused not_a_date"),
            ("Jan 2, 2026", "refused not_a_date"),
            ("46000", "refused not_a_date"),
            ("1699-12-31", "refused date_out_of_range"),
            ("1700-01-01", "1700-01-01"),
            ("4000-12-31", "4000-12-31"),
            ("4001-01-01", "refused date_out_of_range"),
            ("2026-01-02T03:04:05Z", "refused needs_time_zone"),
            ("2026-01-02 03:04:05", "refused needs_time_zone"),
            ("-", "refused placeholder_word"),
            ("2026-01-02Z", "refused not_a_date"),
            ("2026-01-02T", "refused not_a_date"),
            ("+2026-01-02", "refused not_a_date"),
            ("0000-00-00", "refused not_a_date"),
        ],
    );
    check_written(
        &super::rule(FieldType::Date, &zoned("Pacific/Auckland")),
        &[
            ("2026-01-02", "2026-01-02"),
            ("2026-01-02T10:59:59Z", "2026-01-02 (time_dropped)"),
            ("2026-01-02T11:00:00Z", "2026-01-03 (time_dropped)"),
            ("2026-01-02 23:30", "2026-01-02 (time_dropped)"),
            ("2026-01-02T23:30:00+13:00", "2026-01-02 (time_dropped)"),
        ],
    );
}

#[test]
fn datetimes() {
    let rule = rule(FieldType::Datetime, &Options::default());
    for report in [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T04:04:05.000+01:00",
        "2026-01-02T04:04:05+0100",
        "2026-01-02T04:04:05+01",
        "2026-01-01T23:04:05-04:00",
        "2026-01-02 03:04:05Z",
        "2026-01-02t03:04:05z",
        "2026-01-02T03:04:05.999Z",
        "2026-01-02T03:04:05-00:00",
    ] {
        for org in ["2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05Z"] {
            check(&rule, &[(report, org, "same")]);
        }
    }
    check_written(
        &rule,
        &[
            ("2026-01-02T03:04Z", "2026-01-02T03:04:00Z"),
            ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05Z (fraction_dropped)"),
            ("2026-01-02T03:04:05.0000000001Z", "2026-01-02T03:04:05Z (fraction_dropped)"),
            ("2026-01-02T03:04:05", "refused needs_time_zone"),
            ("2026-01-02 03:04:05", "refused needs_time_zone"),
            ("2026-01-02", "refused needs_time_zone"),
            ("2026-01-02T24:00:00Z", "refused no_such_time"),
            ("2016-12-31T23:59:60Z", "refused no_such_time"),
            ("2026-01-02T25:00:00Z", "refused not_a_datetime"),
            ("2026-01-02T03:60:00Z", "refused not_a_datetime"),
            ("2026-01-02T3:04:05Z", "refused not_a_datetime"),
            ("2026-01-02T03:04:05 UTC", "refused not_a_datetime"),
            ("2026-01-02T03:04:05+1", "refused not_a_datetime"),
            ("2026-01-02T03:04:05+19:00", "refused not_a_datetime"),
            ("2026-01-02T03:04:05.Z", "refused not_a_datetime"),
            ("2026-01-02T03:04:05ZZ", "refused not_a_datetime"),
            ("2026-01-02  03:04:05Z", "refused not_a_datetime"),
            ("03/04/2026 10:00", "refused ambiguous_date"),
            ("1767323045", "refused not_a_datetime"),
            ("1699-12-31T23:59:59Z", "refused date_out_of_range"),
            ("1700-01-01T00:30:00+01:00", "refused date_out_of_range"),
            ("4000-12-31T23:59:59Z", "4000-12-31T23:59:59Z"),
            ("4000-12-31T23:59:59-01:00", "refused date_out_of_range"),
            ("9999-12-31T23:59:59-18:00", "refused date_out_of_range"),
            ("null", "refused placeholder_word"),
            ("2026-02-30T00:00:00Z", "refused not_a_datetime"),
        ],
    );
    check(
        &rule,
        &[
            (
                "2026-01-02T03:04:05.123Z",
                "2026-01-02T03:04:05.123Z",
                "overwrite 2026-01-02T03:04:05.123Z > 2026-01-02T03:04:05Z (fraction_dropped)",
            ),
            ("1500-01-01T00:00:00Z", "1500-01-01T00:00:00Z", "refused date_out_of_range"),
            ("2026-02-30T00:00:00Z", "2026-02-30T00:00:00Z", "refused not_a_datetime"),
        ],
    );
}

#[test]
fn local_times_are_never_guessed() {
    let rule = rule(FieldType::Datetime, &zoned("Europe/Berlin"));
    check_written(
        &rule,
        &[
            ("2026-01-02 03:04:05", "2026-01-02T02:04:05Z"),
            ("2026-07-02T03:04:05", "2026-07-02T01:04:05Z"),
            ("2026-07-02T03:04:05Z", "2026-07-02T03:04:05Z"),
            ("2026-07-02", "2026-07-01T22:00:00Z (start_of_day)"),
            ("2026-03-29T02:30:00", "refused local_time_skipped"),
            ("2026-10-25T02:30:00", "refused local_time_twice"),
            ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
            ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
        ],
    );
    // Midnight is skipped there: the day begins at one.
    check_written(
        &super::rule(FieldType::Datetime, &zoned("America/Santiago")),
        &[("2026-09-06", "2026-09-06T04:00:00Z (start_of_day)")],
    );
}

#[test]
fn times_of_day() {
    let rule = rule(FieldType::Time, &Options::default());
    check(
        &rule,
        &[
            ("18:30", "18:30:00.000Z", "same"),
            ("18:30:00", "18:30:00.000Z", "same"),
            ("18:30:00Z", "18:30:00.000Z", "same"),
            ("18:30:00.000Z", "18:30:00.000Z", "same"),
            ("18:30:00.5", "", "fill 18:30:00.500Z"),
            ("18:30:00.1239", "", "fill 18:30:00.123Z (fraction_dropped)"),
            ("24:00", "", "refused no_such_time"),
            ("23:59:60", "", "refused no_such_time"),
            ("8:30", "", "refused not_a_time"),
            ("18:30+01:00", "", "refused not_a_time"),
            ("6 pm", "", "refused not_a_time"),
            ("n/a", "", "refused placeholder_word"),
            ("18:30", "soon", "refused org_unreadable"),
        ],
    );
    check_written(
        &super::rule(FieldType::Time, &format("%I:%M %p", None)),
        &[
            ("06:30 PM", "18:30:00.000Z"),
            ("6:30 am", "06:30:00.000Z"),
            ("12:00 AM", "00:00:00.000Z"),
            ("18:30", "refused format_mismatch"),
        ],
    );
}

#[test]
fn declared_patterns_replace_iso() {
    check_written(
        &rule(FieldType::Date, &format("%d/%m/%Y", None)),
        &[
            ("03/04/2026", "2026-04-03"),
            ("3/4/2026", "2026-04-03"),
            ("13/12/2026", "2026-12-13"),
            ("12/13/2026", "refused format_mismatch"),
            ("2026-04-03", "refused format_mismatch"),
            ("31/02/2026", "refused format_mismatch"),
            ("n/a", "refused placeholder_word"),
            ("01/01/1500", "refused date_out_of_range"),
            ("03/04/2026 x", "refused format_mismatch"),
        ],
    );
    check_written(&rule(FieldType::Date, &format("%m/%d/%y", None)), &[("04/03/26", "2026-04-03")]);
    check_written(&rule(FieldType::Date, &format("%b %d, %Y", None)), &[("Apr 3, 2026", "2026-04-03")]);
    check_written(
        &rule(FieldType::Date, &format("%d.%m.%Y %H:%M", Some("Europe/Berlin"))),
        &[("03.04.2026 23:59", "2026-04-03 (time_dropped)")],
    );
    check_written(
        &rule(FieldType::Datetime, &format("%d.%m.%Y %H:%M:%S", Some("Europe/Berlin"))),
        &[
            ("03.07.2026 23:59:58", "2026-07-03T21:59:58Z"),
            ("03.07.2026 23:59:60", "2026-07-03T21:59:59Z"),
            ("03.07.2026 23:58:60", "refused no_such_time"),
            ("25.10.2026 02:30:00", "refused local_time_twice"),
        ],
    );
    check_written(
        &rule(FieldType::Datetime, &format("%Y-%m-%d %H:%M:%S %z", None)),
        &[("2026-01-02 03:04:05 +0100", "2026-01-02T02:04:05Z")],
    );
    check_written(
        &rule(FieldType::Datetime, &format("%s", None)),
        &[("1767323045", "2026-01-02T03:04:05Z"), ("x", "refused format_mismatch")],
    );
    check_written(
        &rule(FieldType::Datetime, &format("%Y-%m-%dT%H:%M:%S", Some("UTC"))),
        &[("2026-01-02T03:04:05", "2026-01-02T03:04:05Z"), ("2026-01-02T03:04:05Z", "refused format_mismatch")],
    );
    check_written(
        &rule(FieldType::Datetime, &format("%d/%m/%Y", Some("UTC"))),
        &[("03/04/2026", "2026-04-03T00:00:00Z (start_of_day)")],
    );
}

#[test]
fn patterns_are_checked_at_once() {
    let problem =
        |t, pattern: &str, name| Rule::compile(&field(t), &format(pattern, name)).map(|_| ()).map_err(|p| p.code());
    for (t, pattern, name, expected) in [
        (FieldType::Date, "%d/%m/%Y", None, Ok(())),
        (FieldType::Date, "%d/%m", None, Err("bad_format")),
        (FieldType::Date, "%Y-%K-%d", None, Err("bad_format")),
        (FieldType::Date, "plain text", None, Err("bad_format")),
        (FieldType::Date, "", None, Err("bad_format")),
        (FieldType::Date, "%d/%m/%Y %H:%M", None, Err("format_needs_time_zone")),
        (FieldType::Date, "%d/%m/%Y %H:%M", Some("UTC"), Ok(())),
        (FieldType::Datetime, "%d/%m/%Y %H:%M", None, Err("format_needs_time_zone")),
        (FieldType::Datetime, "%d/%m/%Y", None, Err("format_needs_time_zone")),
        (FieldType::Datetime, "%d/%m/%Y %H:%M %z", None, Ok(())),
        (FieldType::Datetime, "%d/%m/%Y %I:%M", Some("UTC"), Err("bad_format")),
        (FieldType::Datetime, "%d/%m/%Y %I:%M %p", Some("UTC"), Ok(())),
        (FieldType::Datetime, "%d/%m/%Y %H:%M %Q", None, Err("bad_format")),
        (FieldType::Datetime, "%H:%M", Some("UTC"), Err("bad_format")),
        (FieldType::Datetime, "%s", None, Ok(())),
        (FieldType::Time, "%H:%M", None, Ok(())),
        (FieldType::Time, "%I:%M", None, Err("bad_format")),
        (FieldType::Time, "%d/%m/%Y", None, Err("bad_format")),
    ] {
        assert_eq!(problem(t.clone(), pattern, name), expected, "{t:?} {pattern:?}");
    }
}
