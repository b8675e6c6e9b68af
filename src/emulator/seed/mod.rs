//! What an org is filled with before it answers: YAML seeds and CSV files of records.
//!
//! Knows the formats and how a custom field is defined; putting them into an org is `org`'s part.

pub(super) mod csv_file;
pub(super) mod field;
pub(super) mod form;
pub(super) mod people;

/// The three Lead fields of the *Logins Review* example, as a YAML seed.
pub const WALKME_FIELDS: &str = "\
objects:
  Lead:
    fields:
      - { name: WalkMe_First_Login__c, label: First login, type: datetime }
      - { name: WalkMe_Last_Login__c, label: Last login, type: datetime }
      - { name: WalkMe_Logins_last_30_days__c, label: '# logins last 30 days', type: number, precision: 18, scale: 0 }
";
