use jiff::{Timestamp, civil};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::ast::{
    AGGREGATES, At, Condition, GROUPS, Item, List, Literal, Operator, Order, PURPOSES, Path, Query, quoted,
};
use super::super::parser::parse;
use super::super::relative;
use super::*;

fn name() -> impl Strategy<Value = String> {
    "Q[A-Za-z]{0,6}(__c)?"
}

fn path() -> impl Strategy<Value = Path> {
    vec(name(), 1..4).prop_map(|parts| Path { parts, at: At(0) })
}

fn alias() -> impl Strategy<Value = Option<String>> {
    option::of("x[a-z0-9_]{0,5}")
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        (path(), alias()).prop_map(|(path, alias)| Item::Field { path, alias }),
        (path(), alias()).prop_map(|(path, alias)| Item::Label { path, alias }),
        Just(Item::Count { at: At(0) }),
        (0..AGGREGATES.len(), path(), alias()).prop_map(|(n, path, alias)| Item::Aggregate {
            function: AGGREGATES[n].1,
            path,
            alias
        }),
        (0..GROUPS.len()).prop_map(|n| Item::Fields { group: GROUPS[n].1, at: At(0) }),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    // Milliseconds of the years that Salesforce knows.
    let instants = -8_520_336_000_000_i64..64_000_000_000_000;
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        "[+-]?[0-9]{1,12}(\\.[0-9]{1,6})?".prop_map(Literal::Number),
        ".{0,12}".prop_map(Literal::Text),
        (1700..=4000i16, 1..=12i8, 1..=28i8).prop_map(|(y, m, d)| Literal::Date(civil::date(y, m, d))),
        instants.prop_map(|ms| Literal::Datetime(Timestamp::from_millisecond(ms).unwrap())),
        (0..24i8, 0..60i8, 0..60i8, 0..1000i32).prop_map(|(h, m, s, ms)| Literal::Time(civil::time(
            h,
            m,
            s,
            ms * 1_000_000
        ))),
        relative::any().prop_map(Literal::Relative),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("%".to_owned()),
        Just("_".to_owned()),
        Just("\\%".to_owned()),
        Just("\\_".to_owned()),
        Just("\\\\".to_owned()),
        "[^%_\\\\]",
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn operator() -> impl Strategy<Value = Operator> {
    prop_oneof![
        Just(Operator::Equal),
        Just(Operator::NotEqual),
        Just(Operator::Less),
        Just(Operator::LessOrEqual),
        Just(Operator::Greater),
        Just(Operator::GreaterOrEqual),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        (path(), operator(), literal()).prop_map(|(path, operator, value)| Condition::Compare {
            path,
            operator,
            value
        }),
        (path(), pattern()).prop_map(|(path, pattern)| Condition::Like { path, pattern }),
        (path(), any::<bool>(), vec(literal(), 1..4)).prop_map(|(path, negated, list)| Condition::In {
            path,
            negated,
            list: List::Values(list)
        }),
        (path(), any::<bool>(), vec(".{0,6}", 1..3)).prop_map(|(path, negated, groups)| Condition::Includes {
            path,
            negated,
            groups
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Condition::All),
            vec(inner.clone(), 2..4).prop_map(Condition::Any),
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            (path(), any::<bool>(), path(), name(), option::of(inner)).prop_map(
                |(path, negated, selected, object, filter)| {
                    let query = Query {
                        items: vec![Item::Field { path: selected, alias: None }],
                        object,
                        object_at: At(0),
                        alias: None,
                        filter,
                        order: Vec::new(),
                        limit: None,
                        offset: None,
                        purpose: None,
                    };
                    Condition::In { path, negated, list: List::Query(Box::new(query)) }
                }
            ),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    let order = (path(), any::<bool>(), any::<bool>()).prop_map(|(path, descending, nulls_last)| Order {
        path,
        descending,
        nulls_last,
    });
    (
        (vec(item(), 1..5), name(), alias(), option::of(condition())),
        (vec(order, 0..3), option::of(0..50_000u64), option::of(0..3_000u64), option::of(0..PURPOSES.len())),
    )
        .prop_map(|((items, object, alias, filter), (order, limit, offset, purpose))| Query {
            items,
            object,
            object_at: At(0),
            alias,
            filter,
            order,
            limit,
            offset,
            purpose: purpose.map(|n| PURPOSES[n].1),
        })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(query in query()) {
        let text = query.to_string();
        prop_assert_eq!(parse(&text).map_err(|failure| TestCaseError::fail(failure.to_string()))?, query, "{}", text);
    }

    #[test]
    fn any_string_comes_back_from_its_escaped_form(value in any::<String>()) {
        let mut written = "SELECT Id FROM Lead WHERE Name = ".to_owned();
        quoted(&mut written, &value).unwrap();
        let Some(Condition::Compare { value: Literal::Text(read), .. }) = parse(&written).unwrap().filter else {
            return Err(TestCaseError::fail("no text"));
        };
        prop_assert_eq!(read, value);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), cut in 0..80usize) {
        let org = Org::empty();
        let _ = org.run(&text);
        let _ = org.run(&format!("SELECT Id FROM Lead WHERE {text}"));
        let whole = "SELECT Id, Owner.Name FROM Lead WHERE Name LIKE '\\u00e9%' AND CreatedDate = LAST_N_DAYS:3";
        let start: String = whole.chars().take(cut).collect();
        let _ = org.run(&format!("{start}{text}"));
    }

    #[test]
    fn a_damaged_query_is_answered_or_refused(
        n in 0..answers::FILTERS.len(), at in any::<prop::sample::Index>(), cut in 0..4usize, put in "[ '()\\\\a0:.%_é\u{0}-]{0,3}",
    ) {
        let text = format!("SELECT Id, Owner.Name, toLabel(Status) FROM Lead l WHERE {} ORDER BY Status", answers::FILTERS[n].0);
        let mut letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        let end = (at + cut).min(letters.len());
        letters.splice(at..end, put.chars());
        let damaged: String = letters.into_iter().collect();
        if let Err(failure) = Org::empty().run(&damaged) {
            prop_assert_ne!(failure.code, "UNKNOWN_EXCEPTION", "{}\n{}", damaged, failure);
        }
    }

    #[test]
    fn no_heap_of_tokens_panics(
        words in vec(prop_oneof![
            Just("SELECT"), Just("FROM"), Just("Lead"), Just("WHERE"), Just("Name"), Just("Id"), Just("="), Just("'a'"),
            Just("("), Just(")"), Just("AND"), Just("OR"), Just("NOT"), Just("IN"), Just(","), Just("LIKE"), Just("null"),
            Just("COUNT"), Just("ORDER BY"), Just("LIMIT"), Just("5"), Just("TODAY"), Just("LAST_N_DAYS"), Just(":"),
            Just("Owner"), Just("."), Just("2026-01-01"), Just("INCLUDES"), Just("FIELDS(ALL)"), Just("Tags__c"),
        ], 0..24),
    ) {
        let org = Org::empty();
        let text = words.join(" ");
        let _ = org.run(&text);
        if let Err(failure) = org.run(&format!("SELECT Id FROM Lead WHERE {text}")) {
            prop_assert_ne!(failure.code, "UNKNOWN_EXCEPTION", "{}", failure);
        }
    }

    #[test]
    fn whatever_parses_also_runs_or_is_refused_in_salesforces_words(query in query()) {
        let org = Org::empty();
        if let Err(failure) = org.run(&query.to_string()) {
            prop_assert_ne!(failure.code, "UNKNOWN_EXCEPTION", "{}", failure);
        }
    }
}

#[test]
fn every_documented_escape_is_read() {
    let cases = [
        ("\\n\\r\\t\\b\\f", "\n\r\t\u{8}\u{c}"),
        ("\\N\\R\\T\\B\\F", "\n\r\t\u{8}\u{c}"),
        ("\\'\\\"\\\\", "'\"\\"),
        ("\\u00e9\\uD83D\\uDE00x", "é😀x"),
        ("\"plain\"", "\"plain\""),
    ];
    for (written, meant) in cases {
        let parsed = parse(&format!("SELECT Id FROM Lead WHERE Name = '{written}'")).unwrap();
        let Some(Condition::Compare { value, .. }) = parsed.filter else { panic!("no comparison") };
        assert_eq!(value, Literal::Text(meant.to_owned()), "{written}");
    }
}
