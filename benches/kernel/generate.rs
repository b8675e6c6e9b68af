//! The two files, the same each time: a report with bare cells, and what a Bulk API 2.0 query gives for the same people, in another order.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use footbridge_engine::model::RecordId;

/// Of a hundred people: who is only in the report, who has another case there, and of ten: who differs.
pub const ONLY_REPORT: usize = 7;
const OTHER_CASE: usize = 3;
pub const DIFFERS: usize = 5;

/// A permutation of `0..rows`, other for each step.
fn turned(n: usize, rows: usize, step: usize) -> usize {
    // The steps are primes, and no count of rows here is a multiple of one.
    (n * step + step / 3) % rows
}

fn mixed(n: usize) -> usize {
    let mut x = n as u64 ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..2 {
        x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (x ^ (x >> 29)) as usize
}

/// A person's values.
struct Person {
    first: String,
    last: String,
    logins: usize,
    nps: Option<usize>,
    completed: usize,
}

fn moment(x: usize) -> String {
    format!(
        "20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}",
        20 + x % 7,
        1 + x / 7 % 12,
        1 + x / 84 % 28,
        x / 2352 % 24,
        x / 56_448 % 60,
        x / 3_386_880 % 60
    )
}

fn person(n: usize) -> Person {
    let x = mixed(n);
    Person {
        first: moment(x >> 3),
        last: moment(x >> 11),
        logins: x % 4_000,
        nps: (x >> 20).is_multiple_of(9).then_some(()).map_or(Some(x >> 23 & 15), |()| None),
        completed: x >> 17 & 1023,
    }
}

fn email(n: usize) -> String {
    format!(
        "{}.{n}@{}.example.com",
        ["ada", "grace", "barbara", "radia", "margaret"][n % 5],
        ["north", "east-team", "s"][n % 3]
    )
}

/// Who is where the report's only ones are not.
fn in_org(n: usize, rows: usize) -> usize {
    if n % 100 == ONLY_REPORT { n + rows } else { n }
}

pub fn files(folder: &Path, rows: usize) {
    std::fs::create_dir_all(folder).unwrap();
    let mut report = BufWriter::with_capacity(1 << 20, File::create(folder.join("report.csv")).unwrap());
    writeln!(report, "email,first_login,last_login,logins,nps,completed").unwrap();
    for at in 0..rows {
        let n = turned(at, rows, 7_919_033);
        let p = person(n);
        let mut email = email(n);
        if n % 100 == OTHER_CASE {
            email[..3].make_ascii_uppercase();
        }
        let nps = p.nps.map(|nps| nps.to_string()).unwrap_or_default();
        writeln!(
            report,
            "{email},{}Z,{}Z,{},{nps},{}.{}0",
            p.first,
            p.last,
            p.logins,
            p.completed / 10,
            p.completed % 10
        )
        .unwrap();
    }
    report.into_inner().unwrap();
    let mut org = BufWriter::with_capacity(1 << 20, File::create(folder.join("org.csv")).unwrap());
    writeln!(org, "\"Id\",\"Email\",\"First_Login__c\",\"Last_Login__c\",\"Logins__c\",\"NPS__c\",\"Completed__c\"")
        .unwrap();
    for at in 0..rows {
        let n = in_org(turned(at, rows, 104_729), rows);
        let mut p = person(n);
        let id = RecordId::parse(&format!("00Q{n:012}")).unwrap();
        if n < rows && n % 10 == DIFFERS {
            // One field of every second of them; of the others two, of which one is null on one side where it can be.
            p.logins += 1;
            if n % 20 == DIFFERS + 10 {
                p.nps = if p.nps.is_some() { None } else { Some(3) };
            }
        }
        let nps = p.nps.map(|nps| format!("{nps}.0")).unwrap_or_default();
        let completed = format!("{}.{}", p.completed / 10, p.completed % 10);
        writeln!(
            org,
            "\"{id}\",\"{}\",\"{}.000Z\",\"{}.000Z\",\"{}.0\",\"{nps}\",\"{completed}\"",
            email(n),
            p.first,
            p.last,
            p.logins,
        )
        .unwrap();
    }
    org.into_inner().unwrap();
}

/// What a plan must come to: planned records, changed cells, rows without a record.
pub fn expected(rows: usize) -> (u64, u64, u64) {
    let of = |every: usize, at: usize| (0..rows).filter(|n| n % every == at).count() as u64;
    let planned = of(10, DIFFERS);
    (planned, planned + of(20, DIFFERS + 10), of(100, ONLY_REPORT))
}
