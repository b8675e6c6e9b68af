//! The demo's invented people: the leads of an org, and the report of a day with the difficulties that real reports have.

const FIRST: [&str; 24] = [
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaede", "Lena", "Mateo",
    "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tamar", "Umut", "Vera", "Wanjiru", "Zoë",
];
const LAST: [&str; 17] = [
    "Abel",
    "Brandt",
    "Costa",
    "Dahl",
    "Esposito",
    "Fischer",
    "Garnier",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kimura",
    "Lindqvist",
    "Moreau",
    "Novak",
    "Okafor",
    "Pereira",
    "Rossi",
];
const COMPANY: [(&str, &str); 7] = [
    ("Alder Works", "alder.example.com"),
    ("Birchline", "birchline.example.com"),
    ("Cobalt & Sons", "cobalt.example.org"),
    ("Dune Optics", "dune.example.com"),
    ("Eastgate Mills", "eastgate.example.org"),
    ("Fernwood", "fernwood.example.com"),
    ("Granite Bay", "granite.example.org"),
];

/// Leads in the org.
pub(super) const LEADS: usize = 320;

struct Person {
    first: &'static str,
    last: &'static str,
    company: &'static str,
    email: String,
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('ø', "o").replace('ë', "e")
}

fn person(i: usize) -> Person {
    let (first, last) = (FIRST[i % FIRST.len()], LAST[i % LAST.len()]);
    let (company, domain) = COMPANY[(i / 5) % COMPANY.len()];
    Person { first, last, company, email: format!("{}.{}@{domain}", plain(first), plain(last)) }
}

/// Days since 1 September 2026 made a moment of the autumn, as the org stores it.
fn moment(day: usize, i: usize) -> String {
    let day = day.min(80);
    let (month, day) = match day {
        0..=29 => (9, day + 1),
        30..=60 => (10, day - 29),
        _ => (11, day - 60),
    };
    format!("2026-{month:02}-{day:02}T{:02}:{:02}:{:02}", 6 + i % 14, (i * 7) % 60, (i * 13) % 60)
}

fn first_login(i: usize) -> String {
    moment(i % 40, i)
}

fn last_login(i: usize) -> String {
    moment(45 + i % 35, i)
}

fn logins(i: usize) -> usize {
    (i * 11) % 47 + 1
}

/// Columns of both files end as CSV text.
fn text(rows: Vec<Vec<String>>) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row)?;
    }
    let bytes = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The org's leads as `leads.csv`: a third is up to date, a third behind, a third was never filled; two were converted, two exist twice.
pub(super) fn leads() -> Result<String, csv::Error> {
    let header = [
        "FirstName",
        "LastName",
        "Company",
        "Email",
        "Status",
        "IsConverted",
        "WalkMe_First_Login__c",
        "WalkMe_Last_Login__c",
        "WalkMe_Logins_last_30_days__c",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for i in 0..LEADS {
        let who = person(i);
        let (first, last, count) = match i % 3 {
            0 => (format!("{}.000Z", first_login(i)), format!("{}.000Z", last_login(i)), format!("{}.0", logins(i))),
            1 => (
                format!("{}.000Z", first_login(i)),
                format!("{}.000Z", moment(40 + i % 5, i)),
                format!("{}.0", logins(i + 3)),
            ),
            _ => (String::new(), String::new(), String::new()),
        };
        let converted = i == 77 || i == 154;
        let status = ["Open - Not Contacted", "Working - Contacted"][i % 2];
        let row = |email: &str| {
            let cells = [
                who.first,
                who.last,
                who.company,
                email,
                status,
                if converted { "true" } else { "false" },
                &first,
                &last,
                &count,
            ];
            cells.map(str::to_owned).to_vec()
        };
        rows.push(row(&who.email));
        if i == 40 || i == 111 {
            rows.push(row(&who.email.to_uppercase()));
        }
    }
    text(rows)
}

/// The report of the day as `logins-review.csv`.
pub(super) fn report() -> Result<String, csv::Error> {
    let mut rows = vec![["User ID", "First Login", "Last Login", "# Logins last 30 days"].map(str::to_owned).to_vec()];
    for i in 0..LEADS - 20 {
        let key = match i % 23 {
            5 => person(i).email.to_uppercase(),
            11 => format!("  {} ", person(i).email),
            _ => person(i).email,
        };
        let mut row = vec![key, format!("{}Z", first_login(i)), format!("{}Z", last_login(i)), logins(i).to_string()];
        match i {
            // The same moment, written in another zone; the same number, written otherwise.
            3 => row[3] = format!("{}.0", logins(3)),
            // What spreadsheets leave behind.
            17 => row[2] = "31/10/2026".to_owned(),
            32 => row[3] = "N/A".to_owned(),
            50 => row[2] = "2026-02-30T08:00:00Z".to_owned(),
            // Nothing known: the record keeps what it has.
            61..=63 => row[2] = String::new(),
            68 => row[3] = "12.6".to_owned(),
            _ => {}
        }
        rows.push(row);
    }
    // Two people are in the report twice, under keys that differ in case alone.
    for i in [90, 91] {
        rows.push(vec![
            person(i).email.to_uppercase(),
            format!("{}Z", first_login(i)),
            format!("{}Z", last_login(i + 1)),
            "3".to_owned(),
        ]);
    }
    // Two rows have no key, eight people are unknown to the org.
    for i in 0..2 {
        rows.push(vec![String::new(), format!("{}Z", first_login(i)), format!("{}Z", last_login(i)), "1".to_owned()]);
    }
    for i in 0..8 {
        rows.push(vec![
            format!("visitor{}@elsewhere.example.net", i + 1),
            format!("{}Z", first_login(i)),
            format!("{}Z", last_login(i)),
            "2".to_owned(),
        ]);
    }
    text(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_person_has_an_address_of_their_own() {
        let all: HashSet<String> = (0..LEADS).map(|i| person(i).email).collect();
        assert_eq!(all.len(), LEADS);
    }
}
