//! Five days of a real activity report against the leads of an org, through the binary. What must come of it is computed by SQLite from the same files.

use std::path::Path;

use footbridge::emulator;
use rusqlite::{Connection, params};

use crate::scene::Scene;

const DAYS: [&str; 5] = ["2026-08-17", "2026-08-18", "2026-08-19", "2026-08-20", "2026-08-21"];

const INTEGRATION: &str = r##"footbridge: 1
kind: integration
name: logins-to-leads
preset: gainsight
goal: Find the leads that are likely to convert
org: acme
report: Logins Review
object: Lead
match: { column: User ID, field: Email }
fields:
  WalkMe_First_Login__c: First Login
  WalkMe_Last_Login__c: Last Login
  WalkMe_Logins_last_30_days__c: "# Logins last 30 days"
environments:
  sandbox: {}
"##;

const REPORT: &str = "footbridge: 1\nkind: report\nname: Logins Review\ntags: [integrations_salesforce]\nkey: User ID\nsource: exports/logins-review.csv\n";

fn load(db: &Connection, table: &str, file: &Path) {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let columns: Vec<String> = reader.headers().unwrap().iter().map(|h| format!("\"{h}\" TEXT")).collect();
    db.execute_batch(&format!(
        "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (n INTEGER PRIMARY KEY, {})",
        columns.join(",")
    ))
    .unwrap();
    let marks: Vec<&str> = columns.iter().map(|_| "?").collect();
    let mut insert = db.prepare(&format!("INSERT INTO {table} VALUES (NULL, {})", marks.join(","))).unwrap();
    for record in reader.records() {
        insert.execute(rusqlite::params_from_iter(record.unwrap().iter())).unwrap();
    }
}

/// The expectation: on each day, in order, a lead takes the values of the one row whose key is its address, if it is the one unconverted lead of that address.
fn expect(db: &Connection) {
    db.execute_batch(
        r##"
        DROP TABLE IF EXISTS usable;
        CREATE TABLE usable AS
          SELECT lower(trim("User ID")) AS k, min(n) AS row, strftime('%Y-%m-%dT%H:%M:%SZ', "First Login") AS first,
                 strftime('%Y-%m-%dT%H:%M:%SZ', "Last Login") AS last, CAST("# Logins last 30 days" AS INTEGER) AS logins
          FROM report WHERE trim("User ID") <> '' GROUP BY k HAVING count(*) = 1;
        CREATE INDEX usable_k ON usable (k);
        UPDATE expected SET (first, last, logins) = (SELECT u.first, u.last, u.logins FROM usable u WHERE u.k = expected.k)
          WHERE alone AND k IN (SELECT k FROM usable);
        "##,
    )
    .unwrap();
}

/// The rows that cannot be used: how the plan calls them, and their numbers.
const LISTED: [(&str, &str); 5] = [
    ("blank_key", r#"SELECT n FROM report WHERE trim("User ID") = '' ORDER BY n"#),
    (
        "duplicate_key",
        r#"SELECT n FROM report WHERE trim("User ID") <> '' AND lower(trim("User ID")) NOT IN (SELECT k FROM usable) ORDER BY n"#,
    ),
    (
        "several_records",
        "SELECT u.row FROM usable u JOIN expected e ON e.k = u.k WHERE NOT e.converted GROUP BY u.row HAVING count(*) > 1 ORDER BY u.row",
    ),
    (
        "converted",
        "SELECT u.row FROM usable u JOIN expected e ON e.k = u.k GROUP BY u.row HAVING min(e.converted) = 1 ORDER BY u.row",
    ),
    ("no_record", "SELECT u.row FROM usable u LEFT JOIN expected e ON e.k = u.k WHERE e.k IS NULL ORDER BY u.row"),
];

fn count(db: &Connection, sql: &str) -> u64 {
    db.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap() as u64
}

#[test]
fn five_days_of_real_activity_end_as_the_last_report_says() {
    let Ok(data) = std::env::var("FOOTBRIDGE_DATA") else {
        crate::scene::left_out("FOOTBRIDGE_DATA is not set, so the real activity reports were not tried");
        return;
    };
    let folder = Path::new(&data).join("activity");
    let leads = folder.join("leads.csv");
    let settings = emulator::Settings { daily_limit: 1_000_000, ..Default::default() };
    let scene = Scene::with(emulator::Options { seeds: vec![leads.clone()], settings, ..Default::default() });
    scene.write("integrations/logins-to-leads.yaml", INTEGRATION);
    scene.write("integrations/reports/logins-review.yaml", REPORT);

    let db = Connection::open_in_memory().unwrap();
    load(&db, "leads", &leads);
    db.execute_batch(
        r#"CREATE TABLE expected AS SELECT n, lower("Email") AS k, IsConverted = 'true' AS converted,
             IsConverted <> 'true' AND 1 = (SELECT count(*) FROM leads o WHERE lower(o.Email) = lower(leads.Email) AND o.IsConverted <> 'true') AS alone,
             strftime('%Y-%m-%dT%H:%M:%SZ', nullif(WalkMe_First_Login__c, '')) AS first,
             strftime('%Y-%m-%dT%H:%M:%SZ', nullif(WalkMe_Last_Login__c, '')) AS last,
             CAST(nullif(WalkMe_Logins_last_30_days__c, '') AS INTEGER) AS logins FROM leads;
           CREATE INDEX expected_k ON expected (k);"#,
    )
    .unwrap();

    // Lists that were empty, and those that were not.
    let mut listed = [0; 2];
    for day in DAYS {
        let file = folder.join(format!("day-{day}.csv"));
        scene.write_bytes("exports/logins-review.csv", &std::fs::read(&file).unwrap());
        load(&db, "report", &file);
        // What the plan must say of each row, before this day's values are in.
        let rows = count(&db, "SELECT count(*) FROM report");
        let blank = count(&db, r#"SELECT count(*) FROM report WHERE trim("User ID") = ''"#);
        expect(&db);
        let duplicate = rows - blank - count(&db, "SELECT count(*) FROM usable");
        let several = count(
            &db,
            "SELECT count(*) FROM usable WHERE (SELECT count(*) FROM expected e WHERE e.k = usable.k AND NOT e.converted) > 1",
        );
        let converted = count(
            &db,
            "SELECT count(*) FROM usable WHERE k IN (SELECT k FROM expected WHERE converted) AND k NOT IN (SELECT k FROM expected WHERE NOT converted)",
        );
        let no_record = count(&db, "SELECT count(*) FROM usable WHERE k NOT IN (SELECT k FROM expected)");

        let plan = scene.run(&["plan", "logins-to-leads", "--format", "json", "--out", "day.plan"]).exits(0);
        let view: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
        let lines: Vec<serde_json::Value> =
            scene.read("day.plan").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let summary = lines.iter().find_map(|l| l.get("summary")).unwrap_or_else(|| panic!("no summary: {view}"));
        let outcome = |name: &str| summary["rows"]["outcomes"][name].as_u64().unwrap();
        assert_eq!(summary["rows"]["rows"], rows, "{day}");
        for (name, expected) in [
            ("blank_key", blank),
            ("duplicate_key", duplicate),
            ("several_records", several),
            ("converted", converted),
            ("no_record", no_record),
        ] {
            assert_eq!(outcome(name), expected, "{name} on {day}");
        }
        // Row by row: every row that cannot be used is listed with its number.
        for (name, sql) in LISTED {
            let entries = lines.iter().filter_map(|l| l.get("entry")).filter(|e| e["outcome"] == name);
            let told: Vec<u64> = entries.map(|e| e["row"].as_u64().unwrap()).collect();
            let mut query = db.prepare(sql).unwrap();
            let wanted: Vec<u64> =
                query.query_map([], |r| r.get::<_, i64>(0)).unwrap().map(|n| n.unwrap() as u64).collect();
            assert_eq!(told, wanted, "{name} on {day}");
            listed[usize::from(!wanted.is_empty())] += 1;
        }

        scene.run(&["apply", "logins-to-leads", "--env", "sandbox", "--yes"]).exits(0).says("Completed");
    }

    assert!(listed[1] >= DAYS.len() * 4, "the reports have rows of every kind: {listed:?}");

    // The org's records in the order of the file.
    let mut lookup = db.prepare("SELECT first, last, logins FROM expected WHERE n = ?").unwrap();
    let stored = scene.org().records("Lead");
    assert_eq!(stored.len() as u64, count(&db, "SELECT count(*) FROM leads"));
    for (index, record) in stored.iter().enumerate() {
        let (first, last, logins): (Option<String>, Option<String>, Option<f64>) =
            lookup.query_row(params![index as i64 + 1], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
        let moment = |field: &str| record[field].as_str().map(|t| format!("{}Z", &t[..19]));
        assert_eq!(moment("WalkMe_First_Login__c"), first, "{record:?}");
        assert_eq!(moment("WalkMe_Last_Login__c"), last, "{record:?}");
        assert_eq!(record["WalkMe_Logins_last_30_days__c"].as_f64(), logins, "{record:?}");
    }

    let before = scene.write_calls();
    scene.run(&["plan", "logins-to-leads", "--detailed-exitcode"]).exits(0).says("No changes");
    scene.run(&["apply", "logins-to-leads", "--env", "sandbox", "--yes"]).exits(0);
    assert_eq!(scene.write_calls(), before, "an apply that has nothing to do writes nothing");
}
