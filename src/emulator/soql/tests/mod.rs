//! Queries over a small org in memory. `answers`: what is found. `refusals`: what is not accepted. `syntax`: properties of the grammar.

mod answers;
mod refusals;
mod syntax;

use jiff::{Timestamp, tz::TimeZone};
use rusqlite::Connection;

use super::*;
use crate::schema::{Catalog, FieldDef, Kind, ObjectDef, PicklistEntry};

/// `00Q…1` and the like, with their checksum.
fn id(prefix: &str, number: u32) -> String {
    ids::long(&format!("{prefix}B{number:011}")).unwrap()
}

fn field(name: &str, kind: Kind) -> FieldDef {
    FieldDef {
        name: name.to_owned(),
        label: name.to_owned(),
        kind,
        length: 80,
        precision: 18,
        scale: 2,
        digits: 8,
        updateable: true,
        createable: true,
        nillable: true,
        filterable: true,
        sortable: kind != Kind::Multipicklist,
        unique: false,
        case_sensitive: false,
        external_id: false,
        id_lookup: kind == Kind::Id,
        custom: name.ends_with("__c"),
        calculated: false,
        auto_number: false,
        html: false,
        name_field: name == "Name",
        compound: None,
        restricted: false,
        picklist: Vec::new(),
        reference_to: Vec::new(),
        relationship: None,
        defaulted_on_create: false,
    }
}

fn reference(name: &str, relationship: &str, targets: &[&str]) -> FieldDef {
    FieldDef {
        relationship: Some(relationship.to_owned()),
        reference_to: targets.iter().map(|target| (*target).to_owned()).collect(),
        ..field(name, Kind::Reference)
    }
}

fn picklist(name: &str, kind: Kind, entries: &[(&str, &str)]) -> FieldDef {
    let entry = |(value, label): &(&str, &str)| PicklistEntry {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        active: true,
        default: false,
    };
    FieldDef { picklist: entries.iter().map(entry).collect(), ..field(name, kind) }
}

fn object(name: &str, prefix: &str, fields: Vec<FieldDef>) -> ObjectDef {
    ObjectDef {
        name: name.to_owned(),
        label: name.to_owned(),
        label_plural: format!("{name}s"),
        key_prefix: prefix.to_owned(),
        custom: false,
        updateable: true,
        fields: std::iter::once(field("Id", Kind::Id)).chain(fields).collect(),
    }
}

fn catalog() -> Catalog {
    let long = FieldDef { filterable: false, sortable: false, length: 32_000, ..field("Description", Kind::Textarea) };
    let part = |name: &str| FieldDef { compound: Some("Address".to_owned()), ..field(name, Kind::String) };
    let lead = vec![
        field("Name", Kind::String),
        FieldDef { id_lookup: true, ..field("Email", Kind::Email) },
        long,
        picklist("Status", Kind::Picklist, &[("New", "Brand new"), ("Working", "In work"), ("Closed", "Closed")]),
        picklist("Tags__c", Kind::Multipicklist, &[("A", "Alpha"), ("B", "Beta"), ("C", "Gamma")]),
        field("IsConverted", Kind::Boolean),
        field("NumberOfEmployees", Kind::Int),
        field("AnnualRevenue", Kind::Currency),
        field("ConvertedDate", Kind::Date),
        field("CreatedDate", Kind::Datetime),
        field("Start__c", Kind::Time),
        FieldDef { unique: true, case_sensitive: true, external_id: true, ..field("Ext__c", Kind::String) },
        field("Hidden__c", Kind::String),
        part("City"),
        part("PostalCode"),
        field("Address", Kind::Address),
        reference("OwnerId", "Owner", &["Group", "User"]),
        reference("ConvertedAccountId", "ConvertedAccount", &["Account"]),
    ];
    let account = vec![
        field("Name", Kind::String),
        reference("ParentId", "Parent", &["Account"]),
        reference("OwnerId", "Owner", &["User"]),
    ];
    Catalog {
        objects: vec![
            object("Account", "001", account),
            object("Group", "00G", vec![field("Name", Kind::String)]),
            object("Lead", "00Q", lead),
            object("Secret__c", "a00", vec![field("Name", Kind::String)]),
            object("User", "005", vec![field("Name", Kind::String), reference("ManagerId", "Manager", &["User"])]),
        ],
    }
}

struct Org {
    catalog: Catalog,
    connection: Connection,
    now: Timestamp,
    time_zone: TimeZone,
    /// Objects, and fields of any object, that the user may not see.
    hidden: Vec<&'static str>,
}

impl Org {
    /// Tables as the emulator's storage makes them, without rows.
    fn empty() -> Org {
        let catalog = catalog();
        let connection = Connection::open_in_memory().unwrap();
        install(&connection, false).unwrap();
        for object in &catalog.objects {
            let column = |field: &FieldDef| match field.kind {
                Kind::Id => "\"Id\" TEXT PRIMARY KEY".to_owned(),
                Kind::Boolean | Kind::Int => format!("\"{}\" INTEGER", field.name),
                Kind::Currency | Kind::Double | Kind::Percent => format!("\"{}\" REAL", field.name),
                _ => format!("\"{}\" TEXT", field.name),
            };
            let columns: Vec<String> = object.fields.iter().filter(|f| f.kind != Kind::Address).map(column).collect();
            let name = &object.name;
            let create = format!("CREATE TABLE \"o_{name}\" ({}, \"__deleted\" INTEGER DEFAULT 0)", columns.join(", "));
            connection.execute_batch(&create).unwrap();
        }
        connection
            .execute_batch(
                "CREATE INDEX lead_email ON o_Lead(Email COLLATE SF); CREATE UNIQUE INDEX lead_ext ON o_Lead(Ext__c);",
            )
            .unwrap();
        Org {
            catalog,
            connection,
            // In Los Angeles it is still the 20th, a Friday.
            now: "2026-11-21T05:00:00Z".parse().unwrap(),
            time_zone: TimeZone::get("America/Los_Angeles").unwrap(),
            hidden: vec!["Secret__c", "Hidden__c"],
        }
    }

    fn insert(&self, object: &str, values: &[(&str, &str)]) {
        let (columns, values): (Vec<_>, Vec<_>) = values.iter().copied().unzip();
        let columns = columns.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(", ");
        let marks = vec!["?"; values.len()].join(", ");
        let sql = format!("INSERT INTO \"o_{object}\" ({columns}) VALUES ({marks})");
        self.connection.execute(&sql, rusqlite::params_from_iter(values)).unwrap();
    }

    fn seeded() -> Org {
        let org = Org::empty();
        org.insert("User", &[("Id", &id("005", 1)), ("Name", "Boss")]);
        org.insert("User", &[("Id", &id("005", 2)), ("Name", "Rep"), ("ManagerId", &id("005", 1))]);
        org.insert("Group", &[("Id", &id("00G", 1)), ("Name", "Queue")]);
        org.insert("Account", &[("Id", &id("001", 1)), ("Name", "Top"), ("OwnerId", &id("005", 1))]);
        org.insert(
            "Account",
            &[("Id", &id("001", 2)), ("Name", "Sub"), ("ParentId", &id("001", 1)), ("OwnerId", &id("005", 2))],
        );
        org.insert(
            "Lead",
            &[
                ("Id", &id("00Q", 1)),
                ("Name", "Ann"),
                ("Email", "Ann@Example.com"),
                ("Description", "first\r\nsecond \"quoted\" \\ \u{1}"),
                ("Status", "Working"),
                ("Tags__c", "A;B"),
                ("IsConverted", "1"),
                ("NumberOfEmployees", "100"),
                ("AnnualRevenue", "100"),
                ("ConvertedDate", "2026-11-20"),
                ("CreatedDate", "2026-11-21T01:30:00.000Z"),
                ("Start__c", "18:30:00.000Z"),
                ("Ext__c", "abc"),
                ("Hidden__c", "x"),
                ("City", "Köln"),
                ("OwnerId", &id("005", 2)),
                ("ConvertedAccountId", &id("001", 2)),
            ],
        );
        org.insert(
            "Lead",
            &[
                ("Id", &id("00Q", 2)),
                ("Name", "bob"),
                ("Email", "MÜLLER@example.com"),
                ("Status", "New"),
                ("Tags__c", "B;C"),
                ("IsConverted", "0"),
                ("NumberOfEmployees", "7"),
                ("AnnualRevenue", "0.5"),
                ("ConvertedDate", "2026-11-21"),
                ("CreatedDate", "2026-11-21T12:00:00.000Z"),
                ("Start__c", "09:00:00.000Z"),
                ("Ext__c", "ABC"),
                ("OwnerId", &id("00G", 1)),
                ("ConvertedAccountId", &id("001", 1)),
            ],
        );
        org.insert("Lead", &[("Id", &id("00Q", 3)), ("Name", "Cy 50%_x"), ("IsConverted", "0"), ("Status", "Odd")]);
        org.insert("Lead", &[("Id", &id("00Q", 4)), ("Name", "Gone"), ("__deleted", "1"), ("IsConverted", "0")]);
        org
    }

    fn with_view<T>(&self, act: impl FnOnce(&View<'_>) -> T) -> T {
        let readable =
            |object: &str, field: &str| !self.hidden.contains(&if field.is_empty() { object } else { field });
        act(&View {
            catalog: &self.catalog,
            readable: &readable,
            hidden: &|_| Vec::new(),
            now: self.now,
            time_zone: self.time_zone.clone(),
        })
    }

    fn run(&self, text: &str) -> Result<Answer, Failure> {
        self.with_view(|view| run(text, view, &self.connection, "v66.0"))
    }

    fn plan(&self, text: &str) -> String {
        let plan = self.with_view(|view| compile::compile(text, view)).unwrap();
        let mut statement = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {}", plan.sql)).unwrap();
        let rows =
            statement.query_map(rusqlite::params_from_iter(&plan.values), |row| row.get::<_, String>(3)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    fn json(&self, text: &str) -> Vec<String> {
        let answer = self.run(text).unwrap_or_else(|failure| panic!("{text}\n{failure}"));
        answer.records.iter().map(|record| record.get().to_owned()).collect()
    }

    /// First letters of the names of the leads found, in order.
    fn found(&self, tail: &str) -> String {
        let records = self.json(&format!("SELECT Name FROM Lead {tail}"));
        let name = |record: &String| {
            serde_json::from_str::<serde_json::Value>(record).unwrap()["Name"].as_str().unwrap()[..1].to_lowercase()
        };
        records.iter().map(name).collect()
    }
}
