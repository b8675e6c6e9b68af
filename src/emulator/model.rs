//! The org's objects and fields as one: the standard table and what seeds add to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::options::EmulatorError;
use super::schema::{Catalog, FieldDef, Kind, ObjectDef};
use super::seed::field::define;
use super::seed::form::{ObjectSeed, RuleSeed};
use super::standard::{self, FieldKey, Traits, usual};
use super::store::values;

/// Everything that describe, SOQL and the write rules ask about objects.
pub struct Model {
    /// Objects and fields.
    pub catalog: Arc<Catalog>,
    /// Further facts of fields.
    pub traits: HashMap<FieldKey, Traits>,
    /// `mergeable` and the like, by object.
    pub object_flags: HashMap<String, Vec<String>>,
    /// Validation rules by object (canonical name).
    pub rules: HashMap<String, Vec<RuleSeed>>,
    /// Flows by object (canonical name): the field that starts each, and what it stores.
    pub flows: HashMap<String, Vec<Flow>>,
}

/// A flow: the field that starts it (any when `None`), and the values that it stores.
pub type Flow = (Option<String>, Vec<(String, rusqlite::types::Value)>);

impl Model {
    /// The standard table with these additions.
    ///
    /// # Errors
    /// An addition that makes no sense.
    pub fn build(additions: &BTreeMap<String, ObjectSeed>) -> Result<Self, EmulatorError> {
        let mut standard = standard::load()?;
        let mut rules: HashMap<String, Vec<RuleSeed>> = HashMap::new();
        let mut flows: HashMap<String, Vec<Flow>> = HashMap::new();
        for (index, (name, seed)) in additions.iter().enumerate() {
            let wrong = |message: String| EmulatorError::Seed { name: format!("objects.{name}"), message };
            let position = standard.objects.iter().position(|o| o.name.eq_ignore_ascii_case(name));
            let position = match position {
                Some(position) => position,
                None if name.ends_with("__c") => {
                    standard.objects.push(custom(name, seed, index, &mut standard.traits));
                    standard.objects.len() - 1
                }
                None => return Err(wrong("no such standard object; a custom one ends in `__c`".to_owned())),
            };
            let object = &mut standard.objects[position];
            for field in &seed.fields {
                let (field, traits) = define(field).map_err(wrong)?;
                standard.traits.insert((object.name.clone(), field.name.clone()), traits);
                match object.fields.iter_mut().find(|f| f.name.eq_ignore_ascii_case(&field.name)) {
                    Some(old) => *old = field,
                    None => object.fields.push(field),
                }
            }
            for rule in &seed.rules {
                let names = [Some(&rule.field), rule.must.not_before.as_ref()];
                if let Some(unknown) = names.into_iter().flatten().find(|n| object.field(n).is_none()) {
                    return Err(wrong(format!("a rule looks at `{unknown}`, which is no field")));
                }
            }
            for flow in &seed.flows {
                let named = |name: &String| {
                    object.field(name).ok_or_else(|| wrong(format!("a flow names `{name}`, which is no field")))
                };
                let on = flow.on.as_ref().map(named).transpose()?.map(|field| field.name.clone());
                let mut set = Vec::new();
                for (name, value) in &flow.set {
                    let field = named(name)?;
                    set.push((field.name.clone(), values::lenient(field, value).map_err(wrong)?));
                }
                flows.entry(object.name.clone()).or_default().push((on, set));
            }
            rules.entry(object.name.clone()).or_default().extend(seed.rules.iter().cloned());
        }
        standard.objects.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            catalog: Arc::new(Catalog { objects: standard.objects }),
            traits: standard.traits,
            object_flags: standard.object_flags,
            rules,
            flows,
        })
    }

    /// Further facts of a field.
    pub fn traits(&self, object: &str, field: &FieldDef) -> Traits {
        let key = (object.to_owned(), field.name.clone());
        self.traits.get(&key).cloned().unwrap_or_else(|| usual(field.kind, field.length).1)
    }
}

/// A custom object with the fields that every object has.
fn custom(name: &str, seed: &ObjectSeed, index: usize, traits: &mut HashMap<FieldKey, Traits>) -> ObjectDef {
    let label = seed.label.clone().unwrap_or_else(|| name.trim_end_matches("__c").replace('_', " "));
    let mut fields = Vec::new();
    let mut add = |name_of: &str, label: &str, kind: Kind, length: u32, system: bool| {
        let (mut field, mut more) = usual(kind, length);
        field.name = name_of.to_owned();
        field.label = label.to_owned();
        if system {
            (field.updateable, field.createable) = (false, false);
        }
        if kind == Kind::Reference {
            field.reference_to = vec!["User".to_owned()];
            field.relationship = name_of.strip_suffix("Id").map(str::to_owned);
        }
        field.name_field = name_of == "Name";
        field.id_lookup |= field.name_field;
        field.nillable = field.name_field;
        field.defaulted_on_create = true;
        more.permissionable = false;
        traits.insert((name.to_owned(), name_of.to_owned()), more);
        fields.push(field);
    };
    add("Id", "Record ID", Kind::Id, 18, true);
    add("OwnerId", "Owner ID", Kind::Reference, 18, false);
    add("IsDeleted", "Deleted", Kind::Boolean, 0, true);
    add("Name", &format!("{label} Name"), Kind::String, 80, false);
    add("CreatedDate", "Created Date", Kind::Datetime, 0, true);
    add("CreatedById", "Created By ID", Kind::Reference, 18, true);
    add("LastModifiedDate", "Last Modified Date", Kind::Datetime, 0, true);
    add("LastModifiedById", "Last Modified By ID", Kind::Reference, 18, true);
    add("SystemModstamp", "System Modstamp", Kind::Datetime, 0, true);
    ObjectDef {
        name: name.to_owned(),
        label_plural: seed.label_plural.clone().unwrap_or_else(|| format!("{label}s")),
        label,
        key_prefix: seed.key_prefix.clone().unwrap_or_else(|| format!("a{index:02}")),
        custom: true,
        updateable: true,
        fields,
    }
}
