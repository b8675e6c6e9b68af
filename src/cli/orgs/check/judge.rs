//! What is needed against what is there: a line a right.

use super::needs::{FieldNeed, Needs, ObjectNeed, Use};
use super::sight::{Sample, Sight};
use crate::cli::grants::{can_be_granted, field_line, field_setup, may_be_secured, object_line, object_setup, words};
use crate::model::{Field, FieldName, Object, ObjectName};
use crate::render::counted;
use crate::render::metadata::PermissionSet;
use crate::render::rights::{Right, State};
use crate::salesforce::SharingModel;

/// Judges every right of one user. `set`: the label of the permission set to edit. `elsewhere`: is such a field seen by the org's other log-in?
pub fn judge(
    needs: &Needs,
    sight: &Sight,
    set: &str,
    elsewhere: &dyn Fn(&ObjectName, &FieldName) -> bool,
) -> Vec<Right> {
    let mut rights = vec![api(sight, set)];
    for (name, need) in needs {
        if !sight.api {
            rights.push(unknown(format!("{name}: {}", words(need.edit)), "the org tells nothing without API Enabled"));
            continue;
        }
        let judge = Judge { name, need, sight, set, seen: sight.object(name) };
        let readable = judge.object(&mut rights);
        judge.fields(elsewhere, &mut rights);
        for path in &need.beyond {
            let why = "`where:` reaches it over a relationship; whether this user sees it shows when the plan reads";
            rights.push(unknown(format!("{name}, {path}: Read"), why));
        }
        if readable && need.pointed_to_by.is_none() {
            rights.push(judge.sharing());
        }
    }
    rights
}

fn line(what: String, state: State) -> Right {
    Right { what, state, why: None, integrations: Vec::new(), setup: None, metadata: None }
}

fn unknown(what: String, why: &str) -> Right {
    Right { why: Some(why.to_owned()), ..line(what, State::Unknown) }
}

fn api(sight: &Sight, set: &str) -> Right {
    if sight.api {
        return line("API Enabled".to_owned(), State::There);
    }
    Right {
        why: Some("without it the user can log in and nothing else".to_owned()),
        setup: Some(format!("Setup > Permission Sets > {set} > System Permissions: API Enabled")),
        metadata: Some(PermissionSet::api_line()),
        ..line("API Enabled".to_owned(), State::Missing)
    }
}

struct Judge<'a> {
    name: &'a ObjectName,
    need: &'a ObjectNeed,
    sight: &'a Sight,
    set: &'a str,
    seen: Option<&'a Object>,
}

impl Judge<'_> {
    /// As Setup calls it.
    fn label(&self) -> &str {
        self.seen.map_or(self.name.as_str(), |o| o.label_plural.as_str())
    }

    fn missing(&self, what: String, why: Option<String>) -> Right {
        Right { why, integrations: self.need.integrations.iter().cloned().collect(), ..line(what, State::Missing) }
    }

    /// Read and Edit on the object; says whether records can be read at all.
    fn object(&self, rights: &mut Vec<Right>) -> bool {
        let edit = self.need.edit;
        let what = |right: &str| format!("{}: {right}", self.name);
        let setup = || Some(object_setup(self.set, self.label(), edit));
        let metadata = || Some(object_line(self.name, edit));
        let Some(object) = self.seen.filter(|o| o.queryable) else {
            let why = match (&self.need.pointed_to_by, self.seen) {
                (Some(field), _) => format!("{field} points to its records, and nobody points to what he may not read"),
                (None, None) => "the org has no such object, or hides it from this user".to_owned(),
                (None, Some(_)) => "the user may not read its records".to_owned(),
            };
            let right = self.missing(what(words(edit)), Some(why));
            rights.push(Right { setup: setup(), metadata: metadata(), ..right });
            return false;
        };
        rights.push(line(what("Read"), State::There));
        if edit {
            rights.push(match object.updateable {
                true => line(what("Edit"), State::There),
                false => Right { setup: setup(), metadata: metadata(), ..self.missing(what("Edit"), None) },
            });
        }
        true
    }

    fn fields(&self, elsewhere: &dyn Fn(&ObjectName, &FieldName) -> bool, rights: &mut Vec<Right>) {
        for (name, need) in &self.need.fields {
            let what = |right: &str| {
                let of = match need.of {
                    Use::Match => " (the match field)",
                    Use::Condition => " (in where:)",
                    Use::Target => "",
                };
                format!("{}.{name}: {right}{of}", self.name)
            };
            let seen = self.seen.and_then(|o| o.field(name));
            let missing = |right: &str, why: Option<String>| Right {
                integrations: need.integrations.iter().cloned().collect(),
                setup: Some(field_setup(self.set, self.label(), name.as_str(), need.edit)),
                metadata: Some(field_line(self.name, name, need.edit)),
                why,
                ..line(what(right), State::Missing)
            };
            let Some(field) = seen else {
                let hidden = "field-level security hides the field from this user".to_owned();
                rights.push(match (elsewhere(self.name, name), self.seen) {
                    (true, _) => missing(words(need.edit), Some(hidden)),
                    (false, Some(_)) => missing(
                        words(need.edit),
                        Some(
                            "the object has no such field, or field-level security hides it from this user".to_owned(),
                        ),
                    ),
                    (false, None) => match self.granted(name, need.edit) {
                        Some(true) => line(what(words(need.edit)), State::There),
                        Some(false) => missing(words(need.edit), None),
                        None => unknown(what(words(need.edit)), "shows when the user may read the object"),
                    },
                });
                continue;
            };
            if need.of == Use::Match && !field.filterable {
                let why =
                    "Salesforce cannot filter on this field, whatever the rights: match by another one".to_owned();
                rights.push(Right { why: Some(why), setup: None, metadata: None, ..missing("found by", None) });
                continue;
            }
            rights.push(match need.edit {
                false => line(what("Read"), State::There),
                true => self.edit(field, need, &what, &missing),
            });
        }
    }

    fn edit(
        &self,
        field: &Field,
        need: &FieldNeed,
        what: &dyn Fn(&str) -> String,
        missing: &dyn Fn(&str, Option<String>) -> Right,
    ) -> Right {
        let there = line(what(words(true)), State::There);
        if field.updateable {
            return there;
        }
        let kind = match () {
            () if field.calculated => Some("it is a formula or roll-up, which Salesforce computes"),
            () if field.auto_number => Some("Salesforce numbers it"),
            () if !can_be_granted(field) && field.permissionable => {
                Some("it is made of parts, and cannot be written as a whole")
            }
            () => None,
        };
        if let Some(kind) = kind {
            let why = format!("{kind}: no right helps, map the column to another field");
            let integrations = need.integrations.iter().cloned().collect();
            return Right { why: Some(why), integrations, ..line(what("Edit"), State::Missing) };
        }
        if self.seen.is_some_and(|o| o.updateable) {
            return match field.permissionable {
                true => missing("Edit", None),
                false => {
                    let why = "Salesforce sets it, or lets it be set when a record is made only: map the column to another field";
                    Right { why: Some(why.to_owned()), setup: None, metadata: None, ..missing("Edit", None) }
                }
            };
        }
        // Nobody may write a field of an object that he may not edit, so describe says nothing of this one.
        match self.granted(&field.name, true) {
            _ if !field.permissionable => there,
            Some(true) => there,
            Some(false) => missing("Edit", None),
            None => {
                let why = format!("shows when the user may edit {}", self.label());
                unknown(what("Edit"), &why)
            }
        }
    }

    /// Do the user's permission sets grant it, for what describe does not tell? `None`: not known.
    fn granted(&self, field: &FieldName, edit: bool) -> Option<bool> {
        let rights = self.sight.field_rights.get(self.name)?.as_ref()?;
        let granted = rights.iter().any(|right| right.field == *field && (right.edit || !edit));
        Some(granted || !may_be_secured(self.name, field))
    }

    /// Does sharing open the records?
    fn sharing(&self) -> Right {
        let (label, edit) = (self.label(), self.need.edit && self.seen.is_some_and(|o| o.updateable));
        let (model, all) = (self.sight.model(self.name), self.sight.modifies_all(self.name));
        let views = self.sight.views_all(self.name);
        let sample = self.sight.samples.get(self.name).copied().unwrap_or_default();
        let what = format!("{}: the records themselves, by sharing", self.name);
        let open = match (all, views, model) {
            (Some(true), ..) => Some("the user may change all of them (Modify All)".to_owned()),
            (_, Some(true), _) if !edit => Some("the user sees all of them (View All)".to_owned()),
            (.., Some(SharingModel::Edit)) => Some("the org-wide default is Public Read/Write".to_owned()),
            (.., Some(SharingModel::Read)) if !edit => Some("the org-wide default is Public Read Only".to_owned()),
            _ => None,
        };
        if let Some(why) = open {
            return Right { why: Some(why), ..line(what, State::There) };
        }
        let locked = if edit { sample.locked } else { 0 };
        if sample.hidden + locked > 0 {
            let mut parts = Vec::new();
            if sample.hidden > 0 {
                let are = if sample.hidden == 1 { "is" } else { "are" };
                parts.push(format!("{} {are} hidden from this user", sample.hidden));
            }
            if locked > 0 {
                parts.push(format!("{locked} may be read and not changed"));
            }
            let why = format!("of {}, {}", of_sample(&sample, label), parts.join(" and "));
            let setup = format!(
                "Setup > Sharing Settings > {label} Sharing Rules; or, for every record, Setup > Permission Sets > {} > Object Settings > {label}: {}",
                self.set,
                if edit { "Modify All Records" } else { "View All Records" }
            );
            return Right { setup: Some(setup), ..self.missing(what, Some(why)) };
        }
        let mut why =
            format!("this user may not see every {}", self.seen.map_or(self.name.as_str(), |o| o.label.as_str()));
        why.push_str(match (model, edit) {
            (Some(SharingModel::Private), _) => ": the org-wide default is Private",
            (Some(SharingModel::Read), true) => {
                ", or see some and not change them: the org-wide default is Public Read Only"
            }
            (Some(SharingModel::Read), false) => "",
            (Some(SharingModel::Other | SharingModel::Edit), _) => ": it depends on a parent record",
            (None, _) => ": the org-wide default is not known to it",
        });
        why.push_str(match views {
            Some(true) => ", though it has View All",
            Some(false) => ", and it has neither View All nor Modify All",
            None => ", and neither is whether it has View All (that takes View Setup and Configuration)",
        });
        if sample.records > 0 {
            let may = if edit { "may change" } else { "sees" };
            why.push_str(&format!(". It {may} {}", all_of(&sample, label)));
        }
        why.push_str(". A record that it does not see counts as \"no record\"");
        unknown(what, &why)
    }
}

fn of_sample(sample: &Sample, label: &str) -> String {
    let records = counted(sample.records as u64, "record");
    if sample.of_report { format!("{records} that the report names") } else { format!("{records} of {label}") }
}

fn all_of(sample: &Sample, label: &str) -> String {
    format!("{}{}", if sample.records == 1 { "the " } else { "all of " }, of_sample(sample, label))
}
