use super::*;

/// WHERE conditions, and the leads that they find: Ann, bob and Cy. Gone is deleted.
pub(super) const FILTERS: &[(&str, &str)] = &[
    ("Name = 'ANN'", "a"),
    ("Name = 'Gone'", ""),
    ("Email = 'müller@EXAMPLE.com'", "b"),
    ("Email != 'ann@example.com'", "bc"),
    ("Email <> 'ann@example.com'", "bc"),
    ("Email = null", "c"),
    ("Email = ''", "c"),
    ("Email != null", "ab"),
    ("Email != ''", "ab"),
    ("NOT Email = 'ann@example.com'", "bc"),
    ("NOT (Email = 'ann@example.com' OR Email = null)", "b"),
    ("Email IN ('ANN@example.com', 'nobody')", "a"),
    ("Email IN ('ANN@example.com', null)", "ac"),
    ("Email IN ('ANN@example.com', '')", "ac"),
    ("Email NOT IN ('ANN@example.com')", "bc"),
    ("Email NOT IN ('ANN@example.com', null)", "b"),
    ("Name > 'ann' AND Name < 'CY'", "b"),
    ("Name >= 'ANN' AND Name <= 'BOB'", "ab"),
    ("Name LIKE 'a%'", "a"),
    ("Name LIKE '_O_'", "b"),
    ("Name LIKE '%\\%\\_%'", "c"),
    ("Name LIKE '%50%_x'", "c"),
    ("NOT Email LIKE '%example%'", "c"),
    ("Email LIKE 'müller%'", "b"),
    ("Ext__c = 'abc'", "a"),
    ("Ext__c = 'Abc'", ""),
    ("Ext__c IN ('ABC')", "b"),
    ("Ext__c LIKE 'AB%'", "b"),
    ("IsConverted = true", "a"),
    ("IsConverted = FALSE", "bc"),
    ("IsConverted = null", "bc"),
    ("IsConverted != null", "a"),
    ("IsConverted != true", "bc"),
    ("IsConverted IN (true)", "a"),
    ("NumberOfEmployees = 100", "a"),
    ("NumberOfEmployees = 100.0", "a"),
    ("NumberOfEmployees > 7", "a"),
    ("NumberOfEmployees >= +7", "ab"),
    ("NumberOfEmployees != 7", "ac"),
    ("NumberOfEmployees IN (7, 8.5, -3)", "b"),
    ("AnnualRevenue = 0.5", "b"),
    ("AnnualRevenue IN (100)", "a"),
    ("AnnualRevenue < 99999999999999999999", "ab"),
    ("ConvertedDate = 2026-11-20", "a"),
    ("ConvertedDate > 2026-11-20", "b"),
    ("ConvertedDate = TODAY", "a"),
    ("ConvertedDate = TOMORROW", "b"),
    ("ConvertedDate != TODAY", "bc"),
    ("ConvertedDate > TODAY", "b"),
    ("ConvertedDate <= today", "a"),
    ("ConvertedDate >= LAST_N_DAYS:1", "ab"),
    ("ConvertedDate = LAST_N_DAYS:1", "a"),
    ("ConvertedDate IN (YESTERDAY, TODAY)", "a"),
    ("ConvertedDate NOT IN (TODAY)", "bc"),
    ("ConvertedDate = NEXT_WEEK", ""),
    ("ConvertedDate = THIS_MONTH", "ab"),
    ("CreatedDate = 2026-11-21T01:30:00Z", "a"),
    ("CreatedDate = 2026-11-21T02:30:00.000+01:00", "a"),
    ("CreatedDate > 2026-11-21T01:30:00-01:00", "b"),
    ("CreatedDate = TODAY", "a"),
    ("CreatedDate = TOMORROW", "b"),
    ("CreatedDate < TODAY", ""),
    ("CreatedDate IN (2026-11-21T12:00:00Z)", "b"),
    ("Start__c = 18:30:00.000Z", "a"),
    ("Start__c < 10:00:00Z", "b"),
    ("Tags__c = 'b;a'", "a"),
    ("Tags__c = 'A'", ""),
    ("Tags__c != 'A;B'", "bc"),
    ("Tags__c = null", "c"),
    ("Tags__c IN ('A;B', 'C')", "a"),
    ("Tags__c INCLUDES ('B')", "ab"),
    ("Tags__c INCLUDES ('A;B', 'C')", "ab"),
    ("Tags__c includes ('a;C')", ""),
    ("Tags__c EXCLUDES ('A')", "bc"),
    ("Status IN ('new', 'odd')", "bc"),
    ("Owner.Name = 'rep'", "a"),
    ("Owner.Name = 'queue'", "b"),
    ("Owner.Manager.Name = 'Boss'", "a"),
    ("ConvertedAccount.Parent.Owner.Name = 'Boss'", "a"),
    ("ConvertedAccount.Name != 'Sub'", "bc"),
    ("Lead.Name = 'Ann'", "a"),
    ("(Name = 'Ann' OR Name = 'Bob') AND IsConverted = false", "b"),
    ("Name = 'Ann' OR (Name = 'Bob' AND IsConverted = false)", "ab"),
    ("ConvertedAccountId IN (SELECT Id FROM Account WHERE Name = 'sub')", "a"),
    ("ConvertedAccountId IN (SELECT ParentId FROM Account)", "b"),
    ("ConvertedAccountId NOT IN (SELECT Id FROM Account a WHERE a.Owner.Name = 'Rep')", "bc"),
];

#[test]
fn filters_find_what_salesforce_would() {
    let org = Org::seeded();
    for (filter, expected) in FILTERS {
        assert_eq!(org.found(&format!("WHERE {filter} ORDER BY Id")), *expected, "{filter}");
    }
}

#[test]
fn days_begin_at_midnight_of_the_users_zone_even_when_clocks_change() {
    let mut org = Org::empty();
    for (n, created) in [(1, "03:59:59"), (2, "04:00:00"), (3, "23:00:00")] {
        org.insert(
            "Lead",
            &[("Id", &id("00Q", n)), ("Name", &n.to_string()), ("CreatedDate", &format!("2026-11-01T{created}.000Z"))],
        );
    }
    for (n, created) in [(4, "04:59:59"), (5, "05:00:00")] {
        org.insert(
            "Lead",
            &[("Id", &id("00Q", n)), ("Name", &n.to_string()), ("CreatedDate", &format!("2026-11-02T{created}.000Z"))],
        );
    }
    // A day of 25 hours.
    (org.now, org.time_zone) = ("2026-11-01T12:00:00Z".parse().unwrap(), TimeZone::get("America/New_York").unwrap());
    for (filter, expected) in
        [("= TODAY", "234"), ("< TODAY", "1"), ("> TODAY", "5"), ("= YESTERDAY", "1"), ("= TOMORROW", "5")]
    {
        assert_eq!(org.found(&format!("WHERE CreatedDate {filter} ORDER BY Id")), expected, "{filter}");
    }
}

#[test]
fn ids_compare_as_15_or_18_characters() {
    let org = Org::seeded();
    let long = id("00Q", 2);
    for id in [&long[..], &long[..15]] {
        assert_eq!(org.found(&format!("WHERE Id = '{id}'")), "b");
        assert_eq!(org.found(&format!("WHERE Id IN ('{id}') LIMIT 5")), "b");
        assert_eq!(org.found(&format!("WHERE Id > '{id}' ORDER BY Id")), "c");
        assert_eq!(org.found(&format!("WHERE Id != '{id}' ORDER BY Id")), "ac");
    }
    let owner = &id("005", 2)[..15];
    assert_eq!(org.found(&format!("WHERE OwnerId = '{owner}'")), "a");
    assert_eq!(org.found("WHERE OwnerId = ''"), "c");
}

#[test]
fn order_puts_nulls_first_and_heeds_no_case() {
    let org = Org::seeded();
    let cases = [
        ("ORDER BY Name", "abc"),
        ("ORDER BY Name DESC", "cba"),
        ("ORDER BY Email, Id", "cab"),
        ("ORDER BY Email DESC", "cba"),
        ("ORDER BY Email NULLS LAST", "abc"),
        ("ORDER BY Email DESC NULLS LAST", "bac"),
        ("ORDER BY NumberOfEmployees ASC NULLS LAST", "bac"),
        ("ORDER BY Status", "bac"),
        ("ORDER BY Status DESC", "cab"),
        ("ORDER BY IsConverted DESC, Name DESC", "acb"),
        ("ORDER BY Owner.Name DESC NULLS LAST", "cab"),
        ("ORDER BY CreatedDate DESC NULLS LAST LIMIT 1", "b"),
        ("ORDER BY Name LIMIT 1 OFFSET 1", "b"),
        ("ORDER BY Name OFFSET 2", "c"),
        ("ORDER BY Name LIMIT 0", ""),
        ("ORDER BY Name FOR VIEW", "abc"),
    ];
    for (tail, expected) in cases {
        assert_eq!(org.found(tail), expected, "{tail}");
    }
}

#[test]
fn records_have_recorded_forms() {
    let org = Org::seeded();
    let (ann, owner) = (id("00Q", 1), id("005", 2));
    let text = "select id, nAME, Description,Status,IsConverted,NumberOfEmployees,AnnualRevenue,ConvertedDate,CreatedDate,\
                Start__c,Tags__c,OwnerId from lead where Name='Ann'";
    let expected = format!(
        r#"{{"attributes":{{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/{ann}"}},"Id":"{ann}","Name":"Ann","Description":"first\r\nsecond \"quoted\" \\ \u0001","Status":"Working","IsConverted":true,"NumberOfEmployees":100,"AnnualRevenue":100.0,"ConvertedDate":"2026-11-20","CreatedDate":"2026-11-21T01:30:00.000+0000","Start__c":"18:30:00.000Z","Tags__c":"A;B","OwnerId":"{owner}"}}"#
    );
    assert_eq!(org.json(text), [expected]);
    let cy = id("00Q", 3);
    let expected = format!(
        r#"{{"attributes":{{"type":"Lead","url":"/services/data/v66.0/sobjects/Lead/{cy}"}},"Email":null,"AnnualRevenue":null,"Owner":null,"Address":null}}"#
    );
    assert_eq!(
        org.json("SELECT Email, AnnualRevenue, Owner.Name, Address FROM Lead WHERE Name LIKE 'Cy%'"),
        [expected]
    );
}

#[test]
fn parents_nest_and_gather_their_fields() {
    let org = Org::seeded();
    let url = |object: &str, id: &str| {
        format!(r#""attributes":{{"type":"{object}","url":"/services/data/v66.0/sobjects/{object}/{id}"}}"#)
    };
    let text = "SELECT l.ConvertedAccount.Name, Name, ConvertedAccount.Parent.Owner.Name, convertedaccount.id, Owner.Name \
                FROM Lead l WHERE Name = 'Ann'";
    let expected = format!(
        r#"{{{},"ConvertedAccount":{{{},"Name":"Sub","Parent":{{{},"Owner":{{{},"Name":"Boss"}}}},"Id":"{}"}},"Name":"Ann","Owner":{{{},"Name":"Rep"}}}}"#,
        url("Lead", &id("00Q", 1)),
        url("Account", &id("001", 2)),
        url("Account", &id("001", 1)),
        url("User", &id("005", 1)),
        id("001", 2),
        url("User", &id("005", 2)),
    );
    assert_eq!(org.json(text), [expected]);
    let queue = org.json("SELECT Owner.Name FROM Lead WHERE Name = 'bob'");
    assert!(queue[0].contains(&format!(r#""Owner":{{{},"Name":"Queue"}}"#, url("Group", &id("00G", 1)))), "{queue:?}");
}

#[test]
fn compound_addresses_are_objects_of_their_visible_parts() {
    let org = Org::seeded();
    let found = org.json("SELECT Address FROM Lead WHERE Name = 'Ann'");
    assert!(found[0].ends_with(r#","Address":{"city":"Köln","postalCode":null}}"#), "{found:?}");
}

#[test]
fn labels_stand_under_the_fields_name_or_the_alias() {
    let org = Org::seeded();
    let found = org.json("SELECT toLabel(Status), toLabel(Tags__c) tags FROM Lead WHERE Name = 'Ann'");
    assert!(found[0].ends_with(r#","Status":"In work","tags":"Alpha;Beta"}"#), "{found:?}");
}

#[test]
fn counts_are_totals_and_aggregates_are_one_record() {
    let org = Org::seeded();
    for (text, total) in [
        ("select count() from Lead", 3),
        ("SELECT COUNT() FROM Lead WHERE Email != null", 2),
        ("SELECT COUNT() FROM Lead LIMIT 1", 1),
    ] {
        let answer = org.run(text).unwrap();
        assert_eq!((answer.total, answer.records.len(), answer.object.as_str()), (total, 0, ""), "{text}");
    }
    let text = "SELECT count(Id), COUNT(Email) mails, COUNT_DISTINCT(Status), MAX(NumberOfEmployees), MIN(Name) first, \
                SUM(AnnualRevenue) s, AVG(NumberOfEmployees) a, MAX(CreatedDate) d FROM Lead";
    let expected = r#"{"attributes":{"type":"AggregateResult"},"expr0":3,"mails":2,"expr1":3,"expr2":100,"first":"Ann","s":100.5,"a":53.5,"d":"2026-11-21T12:00:00.000+0000"}"#;
    assert_eq!(org.json(text), [expected]);
    let answer = org.run("SELECT COUNT(Id) FROM Lead WHERE Name = 'x'").unwrap();
    assert_eq!((answer.total, answer.object.as_str()), (1, "AggregateResult"));
    assert!(answer.records[0].get().ends_with(r#""expr0":0}"#));
}

#[test]
fn the_answer_names_its_object_and_counts_with_limit() {
    let org = Org::seeded();
    let answer = org.run("SELECT Id FROM LEAD LIMIT 2").unwrap();
    assert_eq!((answer.total, answer.records.len(), answer.object.as_str()), (2, 2, "Lead"));
}

#[test]
fn fields_lists_all_that_the_user_may_see() {
    let org = Org::seeded();
    let keys = |text: &str| -> Vec<String> {
        let record: serde_json::Map<_, _> = serde_json::from_str(&org.json(text)[0]).unwrap();
        record.keys().filter(|key| *key != "attributes").cloned().collect()
    };
    let mut custom = keys("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 200");
    custom.sort();
    assert_eq!(custom, ["Ext__c", "Start__c", "Tags__c"]);
    assert_eq!(keys("SELECT FIELDS(STANDARD) FROM Account").len(), 4);
    let all = keys("SELECT FIELDS(ALL) FROM Lead LIMIT 1");
    assert_eq!(all.len(), 18, "{all:?}");
    let by_id = format!("SELECT FIELDS(ALL), Owner.Name FROM Lead WHERE Id IN ('{}')", id("00Q", 1));
    assert_eq!(keys(&by_id).len(), 19);
}

#[test]
fn look_ups_by_key_use_their_indexes() {
    let org = Org::seeded();
    let cases = [
        ("Email = 'x@example.com'", "lead_email"),
        ("Email IN ('x@example.com', 'y@example.com')", "lead_email"),
        ("Email IN ('x@example.com') AND IsConverted = false", "lead_email"),
        ("Email = null", "lead_email"),
        ("Email IN ('x@example.com', 'y@example.com') ORDER BY Id LIMIT 2000", "lead_email"),
        ("Email IN ('x@example.com', 'y@example.com') AND Id > '00QB00000000001' ORDER BY Id LIMIT 2000", "lead_email"),
        ("Email IN ('x@example.com') AND CreatedDate > LAST_WEEK AND Name != 'x' ORDER BY CreatedDate", "lead_email"),
        ("Id > '00QB00000000001' ORDER BY Id LIMIT 2000", "sqlite_autoindex_o_Lead"),
        ("Ext__c IN ('x', 'y')", "lead_ext"),
        ("Id = '00QB00000000001'", "sqlite_autoindex_o_Lead"),
        ("Id IN ('00QB00000000001', '00QB00000000002')", "sqlite_autoindex_o_Lead"),
        ("Id > '00QB00000000001'", "sqlite_autoindex_o_Lead"),
    ];
    for (filter, index) in cases {
        let plan = org.plan(&format!("SELECT Id, Email, Owner.Name FROM Lead WHERE {filter}"));
        assert!(plan.contains(index) && !plan.contains("SCAN t0"), "{filter}\n{plan}");
    }
}

#[test]
fn long_lists_and_wide_conditions_run() {
    let org = Org::seeded();
    let list: Vec<String> = (0..4_000).map(|n| format!("'p{n}@example.com'")).collect();
    assert_eq!(org.found(&format!("WHERE Email IN ({},'ANN@example.com')", list.join(","))), "a");
    let list: Vec<String> = (0..40_000).map(|n| (n % 10).to_string()).collect();
    assert_eq!(org.found(&format!("WHERE NumberOfEmployees IN ({})", list.join(","))), "b");
    let wide: Vec<String> = (0..4_500).map(|n| format!("Name='n{n}'")).collect();
    assert_eq!(org.found(&format!("WHERE {} OR Name='ann'", wide.join(" OR "))), "a");
    let deep = format!("{}Name = 'ann'{}", "(NOT ".repeat(40), ")".repeat(40));
    assert_eq!(org.found(&format!("WHERE {deep}")), "a");
    let days: Vec<String> = (0..3_000).map(|n| format!("LAST_N_DAYS:{n}")).collect();
    assert_eq!(org.found(&format!("WHERE ConvertedDate IN ({}) ORDER BY Id", days.join(","))), "a");
}

#[test]
fn a_hundred_thousand_rows_are_written_quickly() {
    let org = Org::empty();
    org.connection
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
             INSERT INTO o_Lead (Id, Name, Email, NumberOfEmployees, CreatedDate)
             SELECT printf('00QB%014d', i), 'Person ' || i, 'p' || i || '@example.com', i, '2026-11-21T00:00:00.000Z' FROM n;",
        )
        .unwrap();
    let start = std::time::Instant::now();
    let answer = org.run("SELECT Id, Name, Email, NumberOfEmployees, CreatedDate FROM Lead").unwrap();
    assert_eq!((answer.total, answer.records.len()), (100_000, 100_000));
    eprintln!("100,000 rows x 5 fields: {:?}", start.elapsed());
}
