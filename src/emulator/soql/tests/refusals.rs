use super::*;

fn failure(org: &Org, text: &str) -> Failure {
    org.run(text).err().unwrap_or_else(|| panic!("accepted: {text}"))
}

#[test]
fn an_unknown_object_is_refused_in_the_recorded_words() {
    let failure = failure(&Org::seeded(), "select count() from XYZZY");
    assert_eq!(failure.code, "INVALID_TYPE");
    assert_eq!(
        failure.message,
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    );
}

/// The recorded exchange itself, where the folder of recordings is at hand.
#[test]
#[allow(clippy::disallowed_methods)]
fn recorded_query_errors_are_met_to_the_letter() {
    let Ok(folder) = std::env::var("FOOTBRIDGE_RECORDINGS") else {
        eprintln!("FOOTBRIDGE_RECORDINGS is not set: the recorded query errors were left out");
        return;
    };
    let text = std::fs::read_to_string(format!("{folder}/exchange_composite_invalid_type.json")).unwrap();
    let exchanges: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (org, mut met) = (Org::seeded(), 0);
    for exchange in exchanges.as_array().unwrap() {
        let calls = exchange["request"]["body"]["compositeRequest"].as_array().unwrap();
        let replies = exchange["response"]["body"]["compositeResponse"].as_array().unwrap();
        for (call, reply) in calls.iter().zip(replies) {
            let (_, query) = call["url"].as_str().unwrap().split_once("?q=").unwrap();
            match &reply["body"][0] {
                serde_json::Value::Null => assert!(org.run(query).is_ok()),
                error => {
                    let failure = failure(&org, query);
                    assert_eq!(
                        (failure.code, failure.message.as_str()),
                        (error["errorCode"].as_str().unwrap(), error["message"].as_str().unwrap())
                    );
                    met += 1;
                }
            }
        }
    }
    assert_eq!(met, 1);
}

#[test]
fn a_hidden_field_and_a_missing_one_sound_the_same() {
    let org = Org::seeded();
    for name in ["Missing__c", "Hidden__c"] {
        for text in [
            format!("SELECT Id, {name} FROM Lead"),
            format!("SELECT Id FROM Lead WHERE {name} = 'x'"),
            format!("SELECT Id FROM Lead ORDER BY {name}"),
        ] {
            let failure = failure(&org, &text);
            let at = text.find(name).unwrap();
            let expected = format!(
                "\n{text}\n{}^\nERROR at Row:1:Column:{}\nNo such column '{name}' on entity 'Lead'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
                " ".repeat(at),
                at + 1
            );
            assert_eq!((failure.code, failure.message), ("INVALID_FIELD", expected));
        }
    }
    assert_eq!(failure(&org, "SELECT Id FROM Secret__c").code, "INVALID_TYPE");
}

#[test]
fn a_hidden_look_up_or_parent_leads_nowhere() {
    let mut org = Org::seeded();
    assert!(org.run("SELECT Owner.Name, ConvertedAccount.Name FROM Lead").is_ok());
    org.hidden = vec!["OwnerId", "Account"];
    for (text, name) in [
        ("SELECT Owner.Name FROM Lead", "Owner"),
        ("SELECT Id FROM Lead WHERE ConvertedAccount.Name = 'x'", "ConvertedAccount"),
    ] {
        let failure = failure(&org, text);
        assert_eq!(failure.code, "INVALID_FIELD");
        assert!(
            failure.message.contains(&format!("Didn't understand relationship '{name}' in field path.")),
            "{failure}"
        );
    }
}

/// Query, code, a part of the message, and the column that it points at (0: none).
const REFUSED: &[(&str, &str, &str, usize)] = &[
    ("", "MALFORMED_QUERY", "A query string has to be specified", 0),
    ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'", 7),
    ("SELECT FROM Lead", "MALFORMED_QUERY", "unexpected token: 'FROM'", 8),
    ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'", 15),
    ("SELECT Id, FROM Lead", "MALFORMED_QUERY", "unexpected token: 'FROM'", 12),
    ("SELECT * FROM Lead", "MALFORMED_QUERY", "line 1:7 no viable alternative at character '*'", 8),
    ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'", 26),
    ("SELECT Id FROM Lead WHERE Name = \"x\"", "MALFORMED_QUERY", "no viable alternative at character '\"'", 34),
    ("SELECT Id FROM Lead WHERE Name = 'x", "MALFORMED_QUERY", "mismatched character '<EOF>' expecting '''", 34),
    ("SELECT Id FROM Lead WHERE Name = 'a\\d'", "MALFORMED_QUERY", "Illegal character sequence '\\d'", 36),
    ("SELECT Id FROM Lead WHERE Name = 'a\\%'", "MALFORMED_QUERY", "Illegal character sequence '\\%'", 36),
    ("SELECT Id FROM Lead WHERE Name = 'a\\u12'", "MALFORMED_QUERY", "Illegal character sequence '\\u'", 36),
    ("SELECT Id FROM Lead WHERE Name = x", "MALFORMED_QUERY", "unexpected token: 'x'", 34),
    ("SELECT Id FROM Lead WHERE Name = :x", "MALFORMED_QUERY", "Bind variables only allowed in Apex code", 34),
    ("SELECT Id FROM Lead WHERE Name IN :x", "MALFORMED_QUERY", "Bind variables only allowed in Apex code", 35),
    ("SELECT Id FROM Lead WHERE Name IN ()", "MALFORMED_QUERY", "unexpected token: ')'", 36),
    (
        "SELECT Id FROM Lead WHERE Name = 'a' OR Name = 'b' AND Name = 'c'",
        "MALFORMED_QUERY",
        "unexpected token: 'AND'",
        52,
    ),
    (
        "SELECT Id FROM Lead WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "MALFORMED_QUERY",
        "unexpected token: 'OR'",
        53,
    ),
    ("SELECT Id FROM Lead WHERE (Name = 'a'", "MALFORMED_QUERY", "unexpected token: '<EOF>'", 38),
    ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'", 27),
    ("SELECT Id FROM Lead LIMIT 99999999999", "MALFORMED_QUERY", "For input string", 27),
    ("SELECT Id FROM Lead WHERE Name = 'a' LIMIT 1 extra", "MALFORMED_QUERY", "unexpected token: 'extra'", 46),
    ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000", 0),
    ("SELECT Id FROM Lead GROUP BY Id", "MALFORMED_QUERY", "not emulated: GROUP BY", 21),
    ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed in this context", 21),
    ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "not emulated: child queries", 12),
    ("SELECT FORMAT(Name) FROM Lead", "MALFORMED_QUERY", "not emulated: function FORMAT()", 8),
    ("SELECT Id FROM Lead WHERE CALENDAR_YEAR(CreatedDate) = 2026", "MALFORMED_QUERY", "not emulated", 27),
    ("SELECT Id, ID FROM Lead", "INVALID_FIELD", "duplicate field selected: Id", 0),
    ("SELECT FIELDS(ALL), Id FROM Lead LIMIT 1", "INVALID_FIELD", "duplicate field selected: Id", 0),
    ("SELECT Owner.Name, owner.name FROM Lead", "INVALID_FIELD", "duplicate field selected: Owner.Name", 0),
    ("SELECT Status, toLabel(Status) FROM Lead", "INVALID_FIELD", "duplicate field selected: Status", 0),
    ("SELECT FIELDS(ALL) FROM Lead", "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200", 8),
    ("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 201", "MALFORMED_QUERY", "must have a LIMIT of at most 200", 8),
    ("SELECT FIELDS(NONE) FROM Lead", "MALFORMED_QUERY", "unexpected token: 'NONE'", 15),
    ("SELECT Name n FROM Lead", "MALFORMED_QUERY", "only aggregate expressions use field aliasing", 8),
    ("SELECT toLabel(Name) FROM Lead", "INVALID_FIELD", "no picklist", 16),
    ("SELECT Name, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "Field must be grouped or aggregated: Name", 8),
    ("SELECT COUNT(Id) FROM Lead LIMIT 1", "MALFORMED_QUERY", "cannot also use LIMIT", 0),
    (
        "SELECT COUNT(Id) FROM Lead ORDER BY Name",
        "MALFORMED_QUERY",
        "Ordered field must be grouped or aggregated: Name",
        37,
    ),
    ("SELECT SUM(Name) FROM Lead", "MALFORMED_QUERY", "field Name does not support aggregate operator SUM", 12),
    ("SELECT COUNT(), Id FROM Lead", "MALFORMED_QUERY", "unexpected token: 'count'", 8),
    ("SELECT Nope.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path.", 8),
    ("SELECT Owner.Nope FROM Lead", "INVALID_FIELD", "No such column 'Nope' on entity 'Name'", 8),
    (
        "SELECT ConvertedAccount.Parent.Parent.Parent.Parent.Parent.Name FROM Lead",
        "MALFORMED_QUERY",
        "more than 5 levels",
        8,
    ),
    (
        "SELECT Id FROM Lead WHERE Description = 'x'",
        "INVALID_FIELD",
        "field 'Description' can not be filtered in a query call",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE Address = 'x'",
        "INVALID_FIELD",
        "Address fields can only be filtered using Distance expressions",
        27,
    ),
    (
        "SELECT Id FROM Lead ORDER BY Description",
        "MALFORMED_QUERY",
        "field 'Description' can not be sorted in a query call",
        30,
    ),
    (
        "SELECT Id FROM Lead ORDER BY Tags__c",
        "MALFORMED_QUERY",
        "field 'Tags__c' can not be sorted in a query call",
        30,
    ),
    (
        "SELECT Id FROM Lead WHERE ConvertedDate = '2026-11-21'",
        "INVALID_FIELD",
        "value of filter criterion for field 'ConvertedDate' must be of type date and should not be enclosed in quotes",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE CreatedDate > '2026-11-21T00:00:00Z'",
        "INVALID_FIELD",
        "field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes",
        27,
    ),
    ("SELECT Id FROM Lead WHERE CreatedDate > 2026-11-21", "INVALID_FIELD", "must be of type dateTime", 27),
    ("SELECT Id FROM Lead WHERE ConvertedDate = 2026-11-21T00:00:00Z", "INVALID_FIELD", "must be of type date ", 27),
    ("SELECT Id FROM Lead WHERE ConvertedDate = 2026-02-30", "MALFORMED_QUERY", "Invalid date: 2026-02-30", 43),
    ("SELECT Id FROM Lead WHERE CreatedDate = 2026-02-03T04:05:06", "MALFORMED_QUERY", "Invalid datetime", 41),
    ("SELECT Id FROM Lead WHERE ConvertedDate = LAST_N_DAYS", "MALFORMED_QUERY", "unexpected token: '<EOF>'", 54),
    (
        "SELECT Id FROM Lead WHERE ConvertedDate = LAST_N_DAYS:2000000000",
        "MALFORMED_QUERY",
        "Invalid date: LAST_N_DAYS:2000000000",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE NumberOfEmployees = '5'",
        "INVALID_FIELD",
        "must be of type int and should not be enclosed in quotes",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE AnnualRevenue IN ('5')",
        "INVALID_FIELD",
        "must be of type double and should not be enclosed in quotes",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE IsConverted = 'true'",
        "INVALID_FIELD",
        "must be of type boolean and should not be enclosed in quotes",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE Name = 5",
        "INVALID_FIELD",
        "field 'Name' must be of type string and should be enclosed in quotes",
        27,
    ),
    ("SELECT Id FROM Lead WHERE Name = true", "INVALID_FIELD", "must be of type string", 27),
    ("SELECT Id FROM Lead WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense", 27),
    (
        "SELECT Id FROM Lead WHERE OwnerId LIKE '005%'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on id field",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE IsConverted > true",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on boolean field",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE Tags__c > 'A'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on multipicklist field",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE Name INCLUDES ('A')",
        "INVALID_QUERY_FILTER_OPERATOR",
        "only valid on multipicklist",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE Id IN (SELECT Id FROM Lead)",
        "MALFORMED_QUERY",
        "should not be on the same object type",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE Name IN (SELECT Id FROM Account)",
        "MALFORMED_QUERY",
        "only allowed on id and reference",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE OwnerId IN (SELECT Name FROM User)",
        "MALFORMED_QUERY",
        "must select an id or reference",
        46,
    ),
    (
        "SELECT Id FROM Lead WHERE OwnerId IN (SELECT Id FROM User) OR Name = 'x'",
        "MALFORMED_QUERY",
        "not allowed with the 'OR' operator",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE OwnerId IN (SELECT Id FROM User LIMIT 1)",
        "MALFORMED_QUERY",
        "can not use ORDER BY, LIMIT",
        27,
    ),
    (
        "SELECT Id FROM Lead WHERE OwnerId IN (SELECT Nope FROM User)",
        "INVALID_FIELD",
        "No such column 'Nope' on entity 'User'",
        46,
    ),
    (
        "SELECT Id FROM Lead WHERE ConvertedAccountId IN (SELECT Id FROM Account WHERE OwnerId IN (SELECT Id FROM User))",
        "MALFORMED_QUERY",
        "Nesting of semi join",
        79,
    ),
];

#[test]
fn refusals_have_their_code_text_and_place() {
    let org = Org::seeded();
    for (text, code, message, column) in REFUSED {
        let failure = failure(&org, text);
        assert_eq!(failure.code, *code, "{text}\n{failure}");
        assert!(failure.message.contains(message), "{text}\n{failure}");
        let placed = failure.message.contains(&format!("ERROR at Row:1:Column:{column}\n"));
        assert_eq!(placed, *column > 0, "{text}\n{failure}");
    }
}

#[test]
fn limits_of_length_and_depth_are_refused() {
    let org = Org::seeded();
    let long = format!("SELECT Id FROM Lead WHERE Name = '{}'", "x".repeat(100_000));
    let failure_long = failure(&org, &long);
    assert_eq!((failure_long.code, failure_long.message.contains("100000 characters")), ("MALFORMED_QUERY", true));
    let string = |length: usize| format!("SELECT Id FROM Lead WHERE Name = '{}'", "é".repeat(length));
    assert!(org.run(&string(4_000)).is_ok());
    assert_eq!(failure(&org, &string(4_001)).code, "MALFORMED_QUERY");
    for deep in ["(", "NOT ", "NOT("] {
        let text = format!("SELECT Id FROM Lead WHERE {}Name = 'x'", deep.repeat(9_000));
        assert_eq!(failure(&org, &text).code, "QUERY_TOO_COMPLICATED");
    }
}
